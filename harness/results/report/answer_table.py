"""A table of all answers of the runs, worst first: what a report shows one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.check.worst_answers import TINY
from holdfast.harness.results.report.sources import Source
from holdfast.harness.store.records import CLEAN

if TYPE_CHECKING:
    import pandas as pd

_VARIANT = ["task", "sample", "perturbation", "severity", "repeat"]
_COLUMNS = [
    *(*KEY, "perturbation", "severity", "repeat", "groups"),
    *("key", "score", "max_drift", "reason", "broke", "directed"),
]
OUTCOMES = ("worse", "same", "better")


@dataclass(frozen=True, slots=True)
class Place:
    """An adapter of a run."""

    source: Source
    adapter: str

    @property
    def label(self) -> str:
        """Its name in the report."""
        return self.source.labels[self.adapter]


def answer_table(sources: Sequence[Source], baseline: Place | None = None) -> "pd.DataFrame":
    """Return a row per answer to a perturbed prompt; compared with a baseline, also those to clean prompts.

    Args:
        sources: The runs.
        baseline: The adapter whose answers to the same prompts the others are compared with.

    Returns:
        The answers, those that lost most first and among equals those that drifted most; where the answer should
        change, last. Columns beside those of the answers: `source` (place in `sources`), `label` (the adapter's name in
        the report), `clean_key` and `clean_score` (the same adapter's answer to the clean prompt), `base_key` and
        `base_score` (the baseline's answer to the same prompt), `change` (of the score; to the baseline's if there is
        one, else to the clean one) and `outcome` (one of `OUTCOMES`).
    """
    import pandas as pd

    parts = [_rows_of(place, source) for place, source in enumerate(sources)]
    table = pd.concat(parts, ignore_index=True)
    table = _with_baseline(table, baseline)
    if baseline is None:
        table = table[table["perturbation"] != CLEAN]
    reference = table["clean_score"] if baseline is None else table["base_score"]
    table["change"] = table["score"] - reference
    gain = table["change"].fillna(0.0) * np.where(table["higher"], 1.0, -1.0)
    table["outcome"] = np.select([gain < -TINY, gain > TINY], [OUTCOMES[0], OUTCOMES[2]], OUTCOMES[1])
    order = table.assign(gain=gain.round(6), drift=table["max_drift"].fillna(-1.0))
    order = order.sort_values(["directed", "gain", "drift", "key"], ascending=[True, True, False, True], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def _rows_of(place: int, source: Source) -> "pd.DataFrame":
    answers = source.answers[_COLUMNS]
    clean = answers.loc[answers["perturbation"] == CLEAN, [*KEY, "key", "score"]]
    clean = clean.rename(columns={"key": "clean_key", "score": "clean_score"})
    rows = answers.merge(clean, on=KEY, how="left")
    higher = {name: task.higher_is_better for name, task in source.manifest.tasks.items()}
    return rows.assign(source=place, label=rows["adapter"].map(source.labels), higher=rows["task"].map(higher))


def _with_baseline(table: "pd.DataFrame", baseline: Place | None) -> "pd.DataFrame":
    """Add the baseline's answers to the same prompts; the baseline's own rows have none."""
    if baseline is None:
        return table.assign(base_key=None, base_score=np.nan)
    drawn = table["repeat"] < baseline.source.manifest.config.variants_per_sample  # a search finds others for each
    own = (table["label"] == baseline.label) & drawn
    base = table.loc[own, [*_VARIANT, "key", "score"]].rename(columns={"key": "base_key", "score": "base_score"})
    joined = table.merge(base, on=_VARIANT, how="left")
    joined.loc[joined["label"] == baseline.label, ["base_key", "base_score"]] = [None, np.nan]
    return joined
