"""A run's answers as a table: one row per answer, with all scores and whether it broke."""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from operator import itemgetter
from sys import intern
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.store.lines import Line
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.harness.store.stored_run import EDITED, StoredRun
from holdfast.metrics import metrics
from holdfast.metrics.classes import confidence
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.perturbations import Expectation, expectation

if TYPE_CHECKING:
    import pandas as pd

CHANGED: Expectation = "changed"
KEY = ["adapter", "task", "sample"]
_TEXTS = (*KEY, "key", "perturbation", "severity", "reason", "encoder")
_NUMBERS = ("repeat", "edit_rate", "tokens", "truncated")
_texts_of, _numbers_of = itemgetter(*_TEXTS), itemgetter(*_NUMBERS)


def answer_frame(
    run: StoredRun, *, adapter: str | None = None, more: Mapping[str, Callable[[Line], Any]] | None = None
) -> "pd.DataFrame":
    """Return one row per answer, sorted by key, so that tables don't depend on the order in which answers arrived.

    Args:
        run: The run.
        adapter: Only the answers of this adapter; None takes all.
        more: Further columns, each with the function that makes its value from a line of samples.jsonl.

    Returns:
        The fields of the answers; the `groups` (a tuple) and the `item` of their samples; `failure`, `label` and
        `predicted` ("" if there is none); `confidence`, the probability of an answer chosen by likelihood, else NaN;
        `said`, equal for equal answers; every score in a column of its own, NaN where it doesn't apply; `score`, the
        task's headline, NaN where the perturbation should change the answer (`directed`); `edited`; and `broke`, which
        is 1 for a broken answer, 0 for one that held and NaN for a clean one.

    Raises:
        UserError: If there is no answer, or the run's files were edited.
    """
    import pandas as pd

    made = {
        "edited": lambda line: bool(line["edits"]),
        "groups": lambda line: _known(tuple(line.get("groups", ()))),
        "item": lambda line: intern(line.get("item", "")),
        "failure": lambda line: intern(line.get("failure", "")),
        "label": lambda line: intern(line.get("label", "")),
        "predicted": lambda line: intern(line.get("predicted", "")),
        "said": lambda line: blake2b(line["output"].strip().encode("utf-8", "replace"), digest_size=8).hexdigest(),
        "confidence": lambda line: confidence(line.get("likelihoods", ())),
        **(more or {}),
    }
    texts: list[list[str]] = [[] for _ in _TEXTS]
    numbers: list[list[Any]] = [[] for _ in _NUMBERS]
    others: list[list[Any]] = [[] for _ in made]
    scores: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
    count = 0
    for line in run.answers():
        if adapter is not None and line["adapter"] != adapter:
            continue
        for text, value in zip(texts, map(intern, _texts_of(line)), strict=True):  # most texts repeat
            text.append(value)
        for number, value in zip(numbers, _numbers_of(line), strict=True):
            number.append(value)
        for other, make in zip(others, made.values(), strict=True):
            other.append(make(line))
        for name, value in line["scores"].items():
            if len(scores[name]) < count:
                _pad(scores[name], count)
            scores[name].append(value)
        count += 1
    if not count:
        raise UserError(f"{run.folder} has no answers yet: run it first")
    for values in scores.values():
        _pad(values, count)
    columns: dict[str, Any] = dict(zip((*_TEXTS, *_NUMBERS, *made), (*texts, *numbers, *others), strict=True))
    frame = pd.DataFrame(columns | {name: np.asarray(values) for name, values in scores.items()})
    return _with_outcomes(frame.sort_values("key", ignore_index=True), run, scores)


def _with_outcomes(frame: "pd.DataFrame", run: StoredRun, scores: Mapping[str, Any]) -> "pd.DataFrame":
    """Add the columns `score`, `directed` and `broke`."""
    frame["score"] = np.nan
    for task, entry in run.manifest.tasks.items():
        if entry.headline in scores:
            chosen = frame["task"] == task
            frame.loc[chosen, "score"] = frame.loc[chosen, entry.headline]
        elif not any(entry.headline in metrics.get(name).higher_is_better for name in metrics.names()):
            raise UserError(f"{run.folder}: no metric gives the headline '{entry.headline}' of task '{task}': {EDITED}")
    for name in (*DRIFTS, "answer_rate", "answer_words"):
        if name not in frame:
            frame[name] = np.nan
    expects = {name: expectation(name) for name in frame["perturbation"].unique() if name not in (CLEAN, IDENTITY)}
    frame["directed"] = frame["perturbation"].map(expects) == CHANGED
    frame.loc[frame["directed"], "score"] = np.nan  # the references don't answer this prompt
    config = run.manifest.config
    deciding = frame["max_drift"]
    if config.additions == "ignore":
        deciding = frame["break_drift"].fillna(deciding)  # earlier versions kept max_drift only
    frame["broke"] = np.where(deciding.notna(), deciding >= config.break_threshold, np.nan)
    return frame


@cache
def _known(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first of equal tuples, so that a million answers share them."""
    return labels


def _pad(values: "array[float]", length: int) -> None:
    """Pad the values with NaN up to `length`."""
    values.extend([math.nan] * (length - len(values)))
