"""What can a check detect, and how many samples does it need? From a pilot, before anything more is generated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.harness.results.check.budgets import Budget
from holdfast.harness.results.check.inference.differences import Estimate, Pairs, difference
from holdfast.harness.results.check.inference.planning import detectable, samples_needed
from holdfast.harness.results.check.primary import Primary


@dataclass(frozen=True, slots=True)
class PlannedPrimary:
    """What can be said of one primary metric before a check.

    Attributes:
        task: The task.
        metric: The metric.
        score: What it measures.
        budget: What it may lose.
        samples: Number of samples of the pilot.
        detectable: The smallest change that this many samples show with the wanted power.
        needed: Number of samples with which an unchanged candidate passes with the wanted power; None if there is no
            margin, or the margin is 0.
        problem: Why there is no answer; empty if there is one.
    """

    task: str
    metric: str
    score: str
    budget: Budget
    samples: int
    detectable: float
    needed: int | None
    problem: str


def plan_samples(primaries: Sequence[Primary], *, alpha: float, power: float, paired: bool) -> list[PlannedPrimary]:
    """Plan each primary metric.

    Args:
        primaries: The metrics, with the pairs of the pilot.
        alpha: 1 - the confidence of the intervals that will decide.
        power: Probability with which a change is to be detected, and an unchanged candidate to pass.
        paired: Whether the pilot has both sides. Otherwise the two sides of each pair are the same answers, and their
            differences are taken to vary as those of independent answers do: more than real pairs, so that fewer
            samples will be needed than planned.
    """
    planned = []
    for each in primaries:
        estimate = difference(each.pairs()) if paired else _as_if_independent(each.pairs())
        margin, samples = each.budget.margin, int(each.rows["sample"].nunique())
        known = not estimate.problem
        planned.append(
            PlannedPrimary(
                each.task,
                each.metric,
                each.score,
                each.budget,
                samples,
                detectable(estimate.se, estimate.clusters, samples, alpha, power) if known else float("nan"),
                samples_needed(estimate.se, estimate.clusters, margin, alpha, power) if known and margin else None,
                estimate.problem,
            )
        )
    return planned


def _as_if_independent(pairs: Pairs) -> Estimate:
    """Return the difference to the answers of other samples, which are independent of these."""
    clusters = np.unique(pairs.clusters)
    means = np.array([pairs.new[pairs.clusters == cluster].mean() for cluster in clusters])
    return difference(Pairs(np.roll(means, 1), means, clusters))
