"""Does a mitigation help? The same variants without and with it, paired."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.store.manifest import MITIGATED, Manifest
from holdfast.harness.store.records import CLEAN, IDENTITY

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = "adapter mitigation task prompts n before after change change_low change_high".split()
_VARIANT = ["task", "sample", "perturbation", "severity", "repeat"]


def before_after(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame | None":
    """Return a row for each adapter, mitigation and task, for clean and for perturbed prompts.

    Answers are paired by variant and clustered by sample (or item), with the interval that `check` uses; a mitigation
    helps if the whole interval is on the better side of 0. Variants that only a search found differ between the two,
    and are left out.

    Args:
        answers: One row per answer.
        manifest: The run's.

    Returns:
        The scores before and after, and the change with its 95 % interval. None if nothing was mitigated.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    names = {entry.name for entry in manifest.adapters if not entry.mitigation}
    drawn = answers[(answers["repeat"] < manifest.config.variants_per_sample) & (answers["perturbation"] != IDENTITY)]
    for entry in manifest.adapters:
        before, _, mitigation = entry.name.rpartition(MITIGATED)
        if not entry.mitigation or before not in names:
            continue
        sides = [drawn[drawn["adapter"] == name].drop(columns=KEY[:1]) for name in (before, entry.name)]
        pairs = sides[0].merge(sides[1][[*_VARIANT, "score"]], on=_VARIANT, suffixes=("_before", "_after"))
        pairs = pairs.dropna(subset=["score_before", "score_after"])
        pairs["cluster"] = pairs["item"].where(pairs["item"] != "", pairs["sample"])
        pairs["prompts"] = np.where(pairs["perturbation"] == CLEAN, "clean", "perturbed")
        for (task, prompts), mine in pairs.groupby(["task", "prompts"], sort=True):
            rows.append(_row(mine) | {"adapter": before, "mitigation": mitigation, "task": task, "prompts": prompts})
    if not rows:
        return None
    return pd.DataFrame(rows)[_COLUMNS].round(6)


def _row(pairs: "pd.DataFrame") -> dict[str, Any]:
    clusters, _ = pairs["cluster"].factorize()
    old, new = (pairs[f"score_{end}"].to_numpy(np.float64) for end in ("before", "after"))
    change = difference(Pairs(old, new, clusters.astype(np.int64)))
    before = float(pairs.groupby("cluster")["score_before"].mean().mean())
    low, high = change.interval()
    return {
        "n": change.clusters,
        "before": before,
        "after": before + change.value,
        "change": change.value,
        "change_low": low,
        "change_high": high,
    }
