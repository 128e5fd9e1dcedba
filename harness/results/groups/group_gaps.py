"""How far a group of parallel items, such as the questions in one language, is from the first group."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.results.check.inference.differences import Pairs, difference
from holdfast.harness.store.records import CLEAN, IDENTITY

if TYPE_CHECKING:
    import pandas as pd


def gap_of(label: str, parts: Mapping[str, "pd.DataFrame"]) -> dict[str, Any]:
    """Return the columns of the gap: the score of a group minus that of the first group of its grouping.

    Scores are means over each item's perturbed answers (its clean ones, if nothing is perturbed), and compared item by
    item: only items that both groups have count. The interval is that of `check` (`inference.differences`).

    Args:
        label: The group.
        parts: The answers of one adapter by group, in the order of the groups.

    Returns:
        `gap_to`, the first group, `gap` with its interval, and `gap_items`, the number of items; without gap for that
        group itself, and for groups that share no item with it.
    """
    first = next(other for other in parts if _grouping(other) == _grouping(label))
    found = {"gap_to": "", "gap": math.nan, "gap_low": math.nan, "gap_high": math.nan, "gap_items": 0}
    if first == label:
        return found
    both = _by_item(parts[first]).to_frame("old").join(_by_item(parts[label]).rename("new"), how="inner").dropna()
    if both.empty:
        return found
    old, new = (both[name].to_numpy(np.float64) for name in ("old", "new"))
    estimate = difference(Pairs(old, new, np.arange(len(both), dtype=np.int64)))
    low, high = estimate.interval()
    return {"gap_to": first, "gap": estimate.value, "gap_low": low, "gap_high": high, "gap_items": len(both)}


def _grouping(label: str) -> str:
    return label.partition("=")[0] if "=" in label else ""


def _by_item(answers: "pd.DataFrame") -> "pd.Series[float]":
    """Return the mean score of each item, by task and item."""
    mine = answers[answers["item"] != ""]
    perturbed = mine[~mine["perturbation"].isin([CLEAN, IDENTITY]) & ~mine["directed"]]
    asked = perturbed if len(perturbed) else mine[mine["perturbation"] == CLEAN]
    means: pd.Series[float] = asked.groupby(["task", "item"])["score"].mean()
    return means
