"""The comparer `facts`: differences found by rule and by vectors of words, at the fitted costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.metrics.comparers.segment_comparer import FACTS, Answers, K, comparer
from holdfast.paths import expanded

if TYPE_CHECKING:
    from holdfast.metrics.alignment import Group, Judge, Judgement
    from holdfast.metrics.costs import Costs, CostTable
    from holdfast.metrics.facts import Comparer as Detectors
    from holdfast.metrics.facts import Finding


def _check(argument: str) -> None:
    facts(argument)


@comparer(FACTS, _check)
def facts(argument: str) -> Facts:
    """What sentences state, by rule and by word vectors, at the fitted costs (the default) or facts=costs.json."""
    from holdfast.metrics.costs import read_costs

    return Facts(read_costs(expanded(argument))) if argument else Facts()


@dataclass(frozen=True, slots=True)
class Facts:
    """Compares answers by all detectors.

    Attributes:
        table: What each kind of difference costs; by default what comes with Holdfast.
    """

    table: CostTable | None = None
    reads_words = True

    def judge(self, answers: Answers) -> Judge:
        """Return what judges the segments of these two answers."""
        from holdfast.metrics.costs import shipped_costs
        from holdfast.metrics.facts import comparer as detectors

        compare = detectors(answers.clean, answers.perturbed, answers.parses, answers.words)
        return _Judge(compare, (self.table or shipped_costs()).of(answers.words is not None))

    def settle(self, judges: Mapping[K, Judge]) -> list[K]:
        """Return nothing: rules have an answer at once."""
        return []


class _Judge:
    """Judges the segments of two answers by the differences that the detectors find."""

    def __init__(self, compare: Detectors, costs: Costs) -> None:
        self._compare, self._costs = compare, costs

    def __call__(self, ours: Group, theirs: Group, distance: float) -> Judgement:
        """Return how far two groups of segments differ; `distance` is the semantic one."""
        from holdfast.metrics.facts import Finding

        found = self._compare(ours, theirs)
        return _judged(found if distance == 0.0 else (*found, Finding("meaning", distance, "")), self._costs)


def _judged(found: Sequence[Finding], costs: Costs) -> Judgement:
    """Return what differences cost together, and what their parts cost."""
    from holdfast.metrics.alignment import SAME, Judgement
    from holdfast.metrics.costs import COVERAGE

    if not found:
        return SAME
    cost = costs.cost(costs.total(found))
    conflict = costs.cost(costs.total(each for each in found if each.kind not in COVERAGE))
    added = [each for each in found if each.kind in COVERAGE and each.perturbed and not each.clean]
    kept = costs.cost(costs.total(each for each in found if each not in added)) if added else cost
    one_sided = [each for each in found if each.kind == "one-sided"]
    lost = max((each.strength for each in one_sided if each.clean), default=0.0)
    gained = max((each.strength for each in one_sided if each.perturbed), default=0.0)
    return Judgement(cost, kept, conflict, lost, gained, costs.reason(found), tuple(found))
