"""Which segment of one answer went to which of the other: transport under what they mean and what they state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.metrics.facts import NO_CONFLICT, Comparer, Conflict
from holdfast.metrics.transport import transport_plan

if TYPE_CHECKING:
    from holdfast.metrics.transport import Array

Group = tuple[int, ...]
"""Segments of one answer, by number."""

PRICE_OF_NOTHING = 0.6
"""A segment farther than this from every segment of the other answer has no counterpart there."""

_TIE = 1e-6

_ALIKE = 0.25
"""Groups that differ in no more than this share of their words say the same together."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The transport plan (m, n) between two answers' segments, their costs (m, n), and what the facts say where it
    matters; drifts (m) and (n) of the segments on either side, and which group of the other side explains each."""

    plan: Array
    cost: Array
    clean_drift: Array
    perturbed_drift: Array
    clean_reasons: tuple[Conflict, ...]
    perturbed_reasons: tuple[Conflict, ...]
    lost: Array
    added: Array


def align(semantic: Array, a: Array, b: Array, joint: Callable[[Group, Group], float], compare: Comparer) -> Alignment:
    """Align two answers' segments under C_ij = max(semantic_ij, fact_ij) (DESIGN 4).

    `semantic` is (m, n) in [0, 1], `a` (m) and `b` (n) are the masses, `compare` gives fact_ij, `joint` the semantic
    cost between groups of segments. A segment that several of the other side carry together drifts no more than they
    do as one: splitting or merging sentences is no drift.
    """
    import numpy as np

    semantic = reworded(semantic, compare)
    cost, plan, conflicts = _solve(semantic, a, b, compare)
    moved = plan * cost
    clean, perturbed = moved.sum(1) / a, moved.sum(0) / b
    clean_reasons = [conflicts.get((i, int(plan[i].argmax())), NO_CONFLICT) for i in range(len(a))]
    perturbed_reasons = [conflicts.get((int(plan[:, j].argmax()), j), NO_CONFLICT) for j in range(len(b))]
    for ours, theirs in _together(plan, a, b):
        distance = semantic[ours[0], theirs[0]]
        if len(ours) + len(theirs) > 2:
            unlike = compare.unlike(ours, theirs)
            distance = joint(ours, theirs) * weight(unlike)
            if distance > semantic[np.ix_(ours, theirs)].min() and unlike > _ALIKE:
                continue  # one of them alone is nearer: the others are not part of it
        fact = compare(ours, theirs)
        for drifts, reasons, group in ((clean, clean_reasons, ours), (perturbed, perturbed_reasons, theirs)):
            for i in group:
                if max(distance, fact.cost) < drifts[i]:
                    drifts[i], reasons[i] = max(distance, fact.cost), fact
    return Alignment(
        plan,
        cost,
        np.clip(clean, 0, 1),
        np.clip(perturbed, 0, 1),
        tuple(clean_reasons),
        tuple(perturbed_reasons),
        semantic.min(1) > PRICE_OF_NOTHING,
        semantic.min(0) > PRICE_OF_NOTHING,
    )


def _solve(
    semantic: Array, a: Array, b: Array, compare: Comparer
) -> tuple[Array, Array, dict[tuple[int, int], Conflict]]:
    """The costs, the optimal plan and the conflicts, facts compared only where the plan might use them.

    Facts only raise a cost, so a plan that is optimal while the pairs it does not use are underrated, and those it uses
    are not, is optimal. Among plans of equal cost the semantically nearest is taken. A segment whose pair turned out to
    be underrated has twice as many of its nearest pairs compared in the next round, so that rounds stay few.
    """
    cost = semantic.copy()
    conflicts: dict[tuple[int, int], Conflict] = {}
    nearest = semantic.argsort(1).tolist()
    reach = [1] * len(nearest)
    wanted = [(i, row[0]) for i, row in enumerate(nearest)]
    while wanted:
        for i, j in wanted:
            conflicts[i, j] = found = compare((i,), (j,))
            if found.cost > cost[i, j]:
                cost[i, j] = found.cost
        plan = transport_plan(cost + _TIE * semantic, a, b)
        rows, columns = plan.nonzero()
        used = [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if pair not in conflicts]
        for i in {i for i, _ in used}:
            used += [(i, j) for j in nearest[i][reach[i] : 2 * reach[i]]]
            reach[i] *= 2
        wanted = [pair for pair in dict.fromkeys(used) if pair not in conflicts]
    return cost, plan, conflicts


def reworded(semantic: Array, compare: Comparer) -> Array:
    """Semantic costs, lower where two segments that are each other's nearest have most of their words in common.

    An encoder sees a synonym, a short form or another spelling as a change; where tables know better, they are heard.
    """
    lower = semantic.copy()
    nearest, back = semantic.argmin(1).tolist(), semantic.argmin(0).tolist()
    for i, j in enumerate(nearest):
        if back[j] == i and semantic[i, j]:
            lower[i, j] *= weight(compare.unlike((i,), (j,)))
    return lower


def weight(unlike: float) -> float:
    """How much an encoder's distance counts between segments that differ in this share of their words."""
    return min(1.0, 0.25 + 1.1 * unlike)


def _together(plan: Array, a: Array, b: Array) -> Iterator[tuple[Group, Group]]:
    """Groups that may stand for each other: a segment, and one or several of the other side that mostly went to it."""
    import numpy as np

    for i, row in enumerate(plan):
        group = tuple(np.flatnonzero(row >= 0.5 * b).tolist())
        if len(group) > 1 or (group and row[group[0]] >= 0.5 * a[i]):
            yield (i,), group
    for j, column in enumerate(plan.T):
        group = tuple(np.flatnonzero(column >= 0.5 * a).tolist())
        if len(group) > 1:
            yield group, (j,)


def masses(sizes: Sequence[int]) -> Array:
    """Sizes as shares of their sum."""
    import numpy as np

    shares: Array = np.array(sizes, dtype=np.float64) / sum(sizes)
    return shares
