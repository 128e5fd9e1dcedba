"""How often would a check fail by chance? Exchange the two sides at random, on the data at hand."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from holdfast.harness.results.check.judging import fails
from holdfast.harness.results.check.primary import Primary

SWAPS = 200
"""Number of random exchanges."""


def false_fails(primaries: Sequence[Primary], alpha: float, seed: int = 0) -> float:
    """Return the share of checks that fail when each sample's answers are exchanged with probability one half.

    Then neither side is better, whatever the data are like (the null hypothesis of a paired permutation test), so a
    check at two-sided level alpha should fail in at most alpha / 2 of all cases. Absolute limits, which say nothing of
    the other side, are left out, and so are pairs with an answer that could not be scored.

    Args:
        primaries: The metrics, with their pairs.
        alpha: Two-sided level of the check.
        seed: Seed of the exchanges.
    """
    relative = [_by_sample(each) for each in primaries if each.budget.margin is not None]
    if not relative:
        return 0.0
    return sum(fails([_exchanged(each, seed + swap) for each in relative], alpha) for swap in range(SWAPS)) / SWAPS


def _by_sample(primary: Primary) -> Primary:
    """Return the metric with one pair per sample (or item), the means of its pairs, and without its absolute limit."""
    rows = primary.rows.dropna(subset=["old", "new"])
    means = rows.groupby("cluster")[["old", "new"]].mean().reset_index()
    return replace(primary, rows=means, budget=primary.budget.model_copy(update={"limit": None}))


def _exchanged(primary: Primary, seed: int) -> Primary:
    """Exchange old and new for half of the samples: the same ones for all metrics of a task."""
    rows = primary.rows
    chosen = np.array([Random(f"{seed}|{primary.task}|{sample}").random() < 0.5 for sample in rows["cluster"]], bool)
    old, new = (rows[name].to_numpy(np.float64) for name in ("old", "new"))
    exchanged = rows.assign(old=np.where(chosen, new, old), new=np.where(chosen, old, new))
    return replace(primary, rows=exchanged)
