"""Aligns two answers' segments by optimal transport, and asks a judge what the differences of aligned ones cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def __call__(self, ours: Group, theirs: Group, distance: float) -> Judgement:
        """Return how far two groups of segments differ; `distance` is the semantic one."""
        ...


@dataclass(frozen=True, slots=True)
class Alignment:
    """The alignment of a clean answer's m segments with a perturbed answer's n.

    Attributes:
        plan: The transport plan (m, n).
        clean: How far each clean segment drifted (m).
        perturbed: How far each perturbed segment drifted (n).
        clean_partners: For each clean segment, the perturbed segment that received most of its mass (m).
        perturbed_partners: For each perturbed segment, the clean segment that most of its mass came from (n).
        lost: Whether each clean segment has no counterpart (m).
        added: Whether each perturbed segment has no counterpart (n).
    """

    plan: Array
    clean: list[Judgement]
    perturbed: list[Judgement]
    clean_partners: list[int]
    perturbed_partners: list[int]
    lost: list[bool]
    added: list[bool]


def align(semantic: Array, a: Array, b: Array, joint: Callable[[Group, Group], float], judge: Judge) -> Alignment:
    """Align two answers' segments by their semantic distances, and judge those that belong together.

    Costs would not align them better: a contradiction costs as much as an unrelated sentence. A segment drifts no more
    than its cost with any one segment, or with all segments together, most of whose mass comes from it. So splitting or
    merging sentences doesn't count as drift. Otherwise it drifts by the mean cost of its mass.

    Args:
        semantic: Semantic distances between the segments (m, n), in [0, 1].
        a: Masses of the clean answer's segments (m); they sum to 1.
        b: Masses of the perturbed answer's segments (n); they sum to 1.
        joint: Returns the semantic distance between two groups of segments.
        judge: Judges how far two groups of segments differ.
    """
    plan = _plan(semantic, a, b)
    judged: dict[tuple[int, int], Judgement] = {}

    def judgement(i: int, j: int) -> Judgement:
        if (i, j) not in judged:
            judged[i, j] = judge((i,), (j,), float(semantic[i, j]))
        return judged[i, j]

    def exchanged(j: int, i: int) -> Judgement:
        return judgement(i, j)

    clean_partners, perturbed_partners = plan.argmax(1).tolist(), plan.argmax(0).tolist()
    whole_columns, whole_rows = _mostly_from(plan, b), _mostly_from(plan.T, a)
    clean = [
        _drifted(i, plan[i], partner, whole_columns.get(i, ()), judgement) for i, partner in enumerate(clean_partners)
    ]
    perturbed = [
        _drifted(j, plan[:, j], partner, whole_rows.get(j, ()), exchanged)
        for j, partner in enumerate(perturbed_partners)
    ]
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


def _drifted(
    at: int, shares: Array, partner: int, whole: Group, judgement: Callable[[int, int], Judgement]
) -> Judgement:
    """Return how far a segment drifted from those that its mass goes to, the mean by mass, or from the nearest of those
    most of whose mass comes from it.

    Args:
        at: The place of the segment.
        shares: The mass that goes to each segment of the other answer.
        partner: The segment that most of it goes to.
        whole: The segments most of whose mass comes from it.
        judgement: Judges the segment at a place against one of the others.
    """
    found = judgement(at, partner)
    if partner not in whole:
        [places] = shares.nonzero()
        mean = sum(judgement(at, place).cost * shares[place] for place in places.tolist()) / shares.sum()
        found = found.capped(float(mean))
    for place in whole:
        found = found.at_most(judgement(at, place))
    return found


def _plan(semantic: Array, a: Array, b: Array) -> Array:
    """Return the optimal plan; of several, the same one for the two answers exchanged."""
    if (len(a), a.tolist(), semantic.tolist()) > (len(b), b.tolist(), semantic.T.tolist()):
        return transport_plan(semantic.T, b, a).T
    return transport_plan(semantic, a, b)


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
