"""Aligns two answers' segments by optimal transport over what a judge says that their differences cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from holdfast.metrics.alignment.transport import transport_plan
from holdfast.metrics.facts import Finding

if TYPE_CHECKING:
    from holdfast.metrics.alignment.transport import Array

Group = tuple[int, ...]
"""Indices of segments of one answer."""

NO_COUNTERPART = 0.6
"""A segment farther than this from every segment of the other answer has no counterpart there."""

NEARNESS = 2.0
"""The weight of the semantic distance that is added to the cost when the plan is computed. A contradiction costs as
much as an unrelated sentence; this term makes the plan align a segment with the one that contradicts it."""

_MOST = 0.5
"""A segment more of whose weight than this is left out is lost."""


class Judgement(NamedTuple):
    """How far two groups of segments differ.

    Attributes:
        cost: The cost of all differences.
        kept: The cost without what the perturbed group merely adds.
        conflict: The cost of what the two say differently.
        lost: The share of the clean group's weight that is left out.
        added: The share of the perturbed group's weight that is added.
        reason: The difference that counts most; "" if there is none to be named.
        findings: All differences.
    """

    cost: float
    kept: float
    conflict: float
    lost: float = 0.0
    added: float = 0.0
    reason: str = ""
    findings: tuple[Finding, ...] = ()

    def capped(self, cost: float) -> Judgement:
        """Return the judgement with this cost, and with no part of it above that."""
        return self._replace(cost=cost, kept=min(self.kept, cost), conflict=min(self.conflict, cost))

    def at_most(self, other: Judgement) -> Judgement:
        """Return the milder judgement, with the lesser of both conflicts."""
        milder = other if other.cost < self.cost else self
        return milder._replace(kept=min(self.kept, other.kept), conflict=min(self.conflict, other.conflict))


class Judge(Protocol):
    """Judges how far groups of segments of two answers differ."""

    @property
    def looks_ahead(self) -> bool:
        """Whether pairs may be judged that no plan may use, so that few plans are needed."""
        ...

    def expected(self, semantic: Array) -> Array:
        """Return the costs (m, n) to expect from the semantic distances; with lower bounds, the plan is exact."""
        ...

    def __call__(self, ours: Group, theirs: Group, distance: float) -> Judgement:
        """Return how far two groups of segments differ; `distance` is the semantic one."""
        ...


@dataclass(frozen=True, slots=True)
class Alignment:
    """The alignment of a clean answer's m segments with a perturbed answer's n.

    Attributes:
        plan: The transport plan (m, n).
        cost: The cost of each pair (m, n).
        clean: How far each clean segment drifted (m).
        perturbed: How far each perturbed segment drifted (n).
        clean_partners: For each clean segment, the perturbed segment that received most of its mass (m).
        perturbed_partners: For each perturbed segment, the clean segment that most of its mass came from (n).
        lost: Whether each clean segment has no counterpart (m).
        added: Whether each perturbed segment has no counterpart (n).
    """

    plan: Array
    cost: Array
    clean: list[Judgement]
    perturbed: list[Judgement]
    clean_partners: list[int]
    perturbed_partners: list[int]
    lost: list[bool]
    added: list[bool]


def align(semantic: Array, a: Array, b: Array, joint: Callable[[Group, Group], float], judge: Judge) -> Alignment:
    """Align two answers' segments under the costs of their differences.

    A segment drifts no more than its cost with any one segment, or with all segments together, most of whose mass comes
    from it. So splitting or merging sentences doesn't count as drift.

    Args:
        semantic: Semantic distances between the segments (m, n), in [0, 1].
        a: Masses of the clean answer's segments (m); they sum to 1.
        b: Masses of the perturbed answer's segments (n); they sum to 1.
        joint: Returns the semantic distance between two groups of segments.
        judge: Judges how far two groups of segments differ.
    """
    cost, plan, judged = _solve(semantic, a, b, judge)
    moved = plan * cost
    clean_partners, perturbed_partners = plan.argmax(1).tolist(), plan.argmax(0).tolist()
    clean = [
        judged[i, j].capped(drift)
        for (i, j), drift in zip(enumerate(clean_partners), (moved.sum(1) / a).tolist(), strict=True)
    ]
    perturbed = [
        judged[i, j].capped(drift)
        for (j, i), drift in zip(enumerate(perturbed_partners), (moved.sum(0) / b).tolist(), strict=True)
    ]
    whole_columns, whole_rows = _mostly_from(plan, b), _mostly_from(plan.T, a)
    for i, group in whole_columns.items():
        for j in group:
            clean[i] = clean[i].at_most(judged[i, j])
    for j, group in whole_rows.items():
        for i in group:
            perturbed[j] = perturbed[j].at_most(judged[i, j])
    joined = [((i,), group) for i, group in whole_columns.items()] + [(group, (j,)) for j, group in whole_rows.items()]
    for ours, theirs in joined:
        if len(ours) == len(theirs) == 1:
            continue
        found = judge(ours, theirs, joint(ours, theirs))
        for i in ours:
            clean[i] = clean[i].at_most(found)
        for j in theirs:
            perturbed[j] = perturbed[j].at_most(found)
    rows = semantic.tolist()
    return Alignment(
        plan,
        cost,
        [_explain(each, "omission of the segment") for each in clean],
        [_explain(each, "addition of the segment") for each in perturbed],
        clean_partners,
        perturbed_partners,
        [min(row) > NO_COUNTERPART or each.lost > _MOST for row, each in zip(rows, clean, strict=True)],
        [
            min(column) > NO_COUNTERPART or each.added > _MOST
            for column, each in zip(zip(*rows, strict=True), perturbed, strict=True)
        ],
    )


SAME = Judgement(0.0, 0.0, 0.0)

REFUSAL = Judgement(1.0, 1.0, 1.0, reason="refusal")
"""The judgement of a refusal in place of an answer, or of an answer in place of a refusal."""


def _explain(found: Judgement, otherwise: str) -> Judgement:
    """Return a judgement with a reason: `otherwise` if no single difference explains a large drift."""
    return found if found.reason or found.cost <= NO_COUNTERPART else found._replace(reason=otherwise)


def _solve(semantic: Array, a: Array, b: Array, judge: Judge) -> tuple[Array, Array, dict[tuple[int, int], Judgement]]:
    """Compute the costs, the optimal plan and the judgements, comparing only the pairs that a plan uses.

    The plan minimises the cost plus a share of the semantic distance. If comparing can only raise a cost above the
    expected one, a plan is optimal once every pair that it uses has been compared. With a judge that looks ahead, each
    round also compares the nearest pairs of the segments concerned, twice as many each time, to need few rounds.

    Of several optimal plans, the same one is found for the two answers exchanged.
    """
    if (len(a), a.tolist(), semantic.tolist()) > (len(b), b.tolist(), semantic.T.tolist()):
        cost, plan, judged = _solve(semantic.T, b, a, _Exchanged(judge))
        return cost.T, plan.T, {(i, j): each for (j, i), each in judged.items()}
    cost = judge.expected(semantic)
    nearness = NEARNESS * semantic
    judged = {}

    def compare(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Compare these pairs; return those whose cost rose."""
        found = []
        for i, j in pairs:
            judged[i, j] = each = judge((i,), (j,), float(semantic[i, j]))
            if each.cost > cost[i, j]:
                cost[i, j] = each.cost
                found.append((i, j))
        return found

    nearest = cost.argsort(1).tolist()
    reach = [1] * len(nearest)
    if judge.looks_ahead:
        compare((i, row[0]) for i, row in enumerate(nearest))  # most plans use these pairs
    outdated = True
    while outdated:
        plan = transport_plan(cost + nearness, a, b)
        rows, columns = plan.nonzero()
        used = [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if pair not in judged]
        for i in {i for i, _ in used} if judge.looks_ahead else ():
            used += [(i, j) for j in nearest[i][: reach[i]] if (i, j) not in judged]
            reach[i] *= 2
        outdated = any(plan[pair] for pair in compare(dict.fromkeys(used)))
    return cost, plan, judged


@dataclass(frozen=True, slots=True)
class _Exchanged:
    """A judge for the two answers exchanged."""

    judge: Judge

    @property
    def looks_ahead(self) -> bool:
        return self.judge.looks_ahead

    def expected(self, semantic: Array) -> Array:
        return self.judge.expected(semantic.T).T

    def __call__(self, ours: Group, theirs: Group, distance: float) -> Judgement:
        return self.judge(theirs, ours, distance)


def _mostly_from(plan: Array, masses: Array) -> dict[int, Group]:
    """Return, for each row of a plan (m, n), the columns at least half of whose mass (n) comes from it."""
    found: dict[int, list[int]] = {}
    for i, j in zip(*(places.tolist() for places in (plan >= 0.5 * masses).nonzero()), strict=True):
        found.setdefault(i, []).append(j)
    return {i: tuple(columns) for i, columns in found.items()}


def masses(sizes: Sequence[int]) -> Array:
    """Normalise sizes to shares that sum to 1."""
    shares: Array = np.array(sizes, dtype=np.float64) / sum(sizes)
    return shares
