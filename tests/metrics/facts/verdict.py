"""How tests of facts ask for a verdict: the cost of what two texts say differently, and its main reason."""

from typing import NamedTuple

from holdfast.metrics.costs import COVERAGE, shipped_costs
from holdfast.metrics.facts import Facts, Finding, comparer, facts_of, findings

COSTS = shipped_costs().of(vectors=False)

LITTLE, REMARKABLE, SERIOUS = 0.15, 0.1, 0.25
"""What differences in wording cost at most, what one costs whose reason is asked for, and what a contradiction costs at
least, before the encoder adds what it sees."""


class Verdict(NamedTuple):
    """The cost of the conflicts; the reason that counts most, if any counts; and the cost of all differences."""

    cost: float
    reason: str
    whole: float


def verdict(found: tuple[Finding, ...]) -> Verdict:
    conflicts = [each for each in found if each.kind not in COVERAGE]
    cost, whole = (COSTS.cost(COSTS.total(each)) for each in (conflicts, found))
    return Verdict(cost, COSTS.reason(conflicts if cost > REMARKABLE else found) if whole > REMARKABLE else "", whole)


def between(clean: str, perturbed: str) -> Verdict:
    """Compare two answers of one segment each."""
    return verdict(comparer([clean], [perturbed])((0,), (0,)))


def reasons(clean: str, perturbed: str) -> list[str]:
    """Return the reasons of all differences between two segments, however little they cost."""
    return [found.reason for found in findings(facts_of(clean), facts_of(perturbed)) if found.reason]


def conflict(clean: Facts | str, perturbed: Facts | str) -> Verdict:
    """Compare two segments without the context of their answers."""
    ours, theirs = (facts_of(side) if isinstance(side, str) else side for side in (clean, perturbed))
    return verdict(findings(ours, theirs))
