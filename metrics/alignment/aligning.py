"""Which segment of one answer went to which of the other: transport under what they mean and what they state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast.metrics.alignment.transport import transport_plan
from holdfast.metrics.facts import NO_CONFLICT, SAID_ELSEWHERE, Comparer, Conflict

if TYPE_CHECKING:
    from holdfast.metrics.alignment.transport import Array

Group = tuple[int, ...]
"""Segments of one answer, by number."""

PRICE_OF_NOTHING = 0.6
"""A segment farther than this from every segment of the other answer has no counterpart there."""

NEARNESS = 0.5
"""How much the semantic distance counts in the search for a plan beside the cost. A contradiction costs as much as an
unrelated sentence does; this keeps what contradicts a segment its counterpart."""

_ALIKE = 0.25
"""Groups that differ in no more than this share of their words say the same together."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The transport plan (m, n) between two answers' segments, their costs (m, n), drifts (m) and (n) of the segments
    on either side, what the facts say of each, and whether it has a counterpart nowhere."""

    plan: Array
    cost: Array
    clean_drift: list[float]
    perturbed_drift: list[float]
    clean_partners: list[int]
    perturbed_partners: list[int]
    clean_reasons: list[Conflict]
    perturbed_reasons: list[Conflict]
    lost: list[bool]
    added: list[bool]


def align(semantic: Array, a: Array, b: Array, joint: Callable[[Group, Group], float], compare: Comparer) -> Alignment:
    """Align two answers' segments under C_ij = max(semantic_ij, fact_ij) (DESIGN 4).

    `semantic` is (m, n) in [0, 1], `a` (m) and `b` (n) are the masses, `compare` gives fact_ij, `joint` the semantic
    cost between groups of segments. A segment that several of the other side carry together drifts no more than they
    do as one: splitting or merging sentences is no drift.
    """
    semantic = reworded(semantic, compare)
    cost, plan, conflicts = _solve(semantic, a, b, compare)
    moved = plan * cost
    clean, perturbed = (moved.sum(1) / a).tolist(), (moved.sum(0) / b).tolist()
    clean_partners, perturbed_partners = plan.argmax(1).tolist(), plan.argmax(0).tolist()
    clean_reasons = [conflicts.get(pair, NO_CONFLICT) for pair in enumerate(clean_partners)]
    perturbed_reasons = [conflicts.get((i, j), NO_CONFLICT) for j, i in enumerate(perturbed_partners)]
    for ours, theirs in _together(plan, a, b):
        distance, alone = float(semantic[ours[0], theirs[0]]), len(ours) == len(theirs) == 1
        if not alone:
            unlike = compare.unlike(ours, theirs)
            distance = joint(ours, theirs) * weight(unlike)
            if unlike > _ALIKE and distance > min(semantic[i, j] for i in ours for j in theirs):
                continue  # one of them alone is nearer: the others are not part of it
        fact = conflicts[ours[0], theirs[0]] if alone else compare(ours, theirs)
        drift = max(distance, fact.cost)
        for drifts, reasons, group in ((clean, clean_reasons, ours), (perturbed, perturbed_reasons, theirs)):
            for i in group:
                if drift < drifts[i]:
                    drifts[i], reasons[i] = drift, fact
    clean, perturbed = [min(1.0, drift) for drift in clean], [min(1.0, drift) for drift in perturbed]
    rows = semantic.tolist()
    elsewhere = compare.said_elsewhere or [[False] * len(b)] * len(a)
    return Alignment(
        plan,
        cost,
        clean,
        perturbed,
        clean_partners,
        perturbed_partners,
        [_explained(*each, "omission of the segment") for each in zip(clean, clean_reasons, strict=True)],
        [_explained(*each, "addition of the segment") for each in zip(perturbed, perturbed_reasons, strict=True)],
        [*map(_is_alone, rows, elsewhere)],
        [*map(_is_alone, zip(*rows, strict=True), zip(*elsewhere, strict=True))],
    )


def _is_alone(distances: Sequence[float], elsewhere: Sequence[bool]) -> bool:
    """Whether a segment has no counterpart among those that are so far away, and may be said elsewhere."""
    return min(distances) > PRICE_OF_NOTHING or all(elsewhere)


def _explained(drift: float, found: Conflict, otherwise: str) -> Conflict:
    """The reason of a drift: what the facts say, or that nothing in the other answer is about the same."""
    return found if found.reason or drift <= PRICE_OF_NOTHING else Conflict(drift, otherwise)


def _solve(
    semantic: Array, a: Array, b: Array, compare: Comparer
) -> tuple[Array, Array, dict[tuple[int, int], Conflict]]:
    """The costs, the optimal plan and the conflicts, facts compared only where the plan might use them.

    Facts only raise a cost, so a plan stays optimal until a pair that it uses turns out to be underrated. What it
    minimises is the cost and a share of the semantic distance. A segment with such a pair has twice as many of its
    nearest pairs compared in the next round, so that rounds stay few.
    """
    cost = semantic.copy()
    if compare.said_elsewhere is not None:
        np.maximum(cost, SAID_ELSEWHERE.cost, out=cost, where=np.array(compare.said_elsewhere))
    nearness = NEARNESS * semantic
    conflicts: dict[tuple[int, int], Conflict] = {}

    def raised(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Compare these pairs; those that cost more than was thought."""
        found = []
        for i, j in pairs:
            conflicts[i, j] = conflict = compare((i,), (j,))
            if conflict.cost > cost[i, j]:
                cost[i, j] = conflict.cost
                found.append((i, j))
        return found

    nearest = cost.argsort(1).tolist()
    reach = [1] * len(nearest)
    raised((i, row[0]) for i, row in enumerate(nearest))  # most plans use these
    underrated = True
    while underrated:
        plan = transport_plan(cost + nearness, a, b)
        rows, columns = plan.nonzero()
        used = [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if pair not in conflicts]
        for i in {i for i, _ in used}:
            used += [(i, j) for j in nearest[i][: reach[i]] if (i, j) not in conflicts]
            reach[i] *= 2
        underrated = any(plan[pair] for pair in raised(dict.fromkeys(used)))
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
    whole_columns: dict[int, list[int]] = {}
    whole_rows: dict[int, list[int]] = {}
    rows, columns = plan.nonzero()
    moved, rows_mass, columns_mass = plan[rows, columns].tolist(), a.tolist(), b.tolist()
    for i, j, mass in zip(rows.tolist(), columns.tolist(), moved, strict=True):
        if mass >= 0.5 * columns_mass[j]:
            whole_columns.setdefault(i, []).append(j)
        if mass >= 0.5 * rows_mass[i]:
            whole_rows.setdefault(j, []).append(i)
    for i, group in whole_columns.items():
        yield from (((i,), (j,)) for j in group if i in whole_rows.get(j, ()))
        if len(group) > 1:
            yield (i,), tuple(group)
    for j, group in sorted(whole_rows.items()):
        if len(group) > 1:
            yield tuple(group), (j,)


def masses(sizes: Sequence[int]) -> Array:
    """Sizes as shares of their sum."""
    shares: Array = np.array(sizes, dtype=np.float64) / sum(sizes)
    return shares
