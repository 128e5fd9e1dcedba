"""Aligns two answers' segments by optimal transport over semantic distances and contradicting facts."""

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
"""Indices of segments of one answer."""

NO_COUNTERPART = 0.6
"""A segment farther than this from every segment of the other answer has no counterpart there."""

NEARNESS = 0.5
"""The weight of the semantic distance that is added to the cost when the plan is computed. A contradiction costs as
much as an unrelated sentence; this term makes the plan align a segment with the one that contradicts it."""

_ALIKE = 0.25
"""Groups of segments that differ in at most this share of their words say the same."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The alignment of a clean answer's m segments with a perturbed answer's n.

    Attributes:
        plan: The transport plan (m, n).
        cost: The cost of each pair (m, n).
        clean_drift: The drift of each clean segment (m).
        perturbed_drift: The drift of each perturbed segment (n).
        clean_partners: For each clean segment, the perturbed segment that received most of its mass (m).
        perturbed_partners: For each perturbed segment, the clean segment that most of its mass came from (n).
        clean_reasons: The conflict that explains each clean segment's drift (m).
        perturbed_reasons: The conflict that explains each perturbed segment's drift (n).
        lost: Whether each clean segment has no counterpart (m).
        added: Whether each perturbed segment has no counterpart (n).
    """

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
    """Align two answers' segments under the costs C_ij = max(semantic_ij, fact_ij).

    A segment matched by several segments of the other side drifts no more than it would if those were one, so splitting
    or merging sentences doesn't count as drift.

    Args:
        semantic: Semantic distances between the segments (m, n), in [0, 1].
        a: Masses of the clean answer's segments (m); they sum to 1.
        b: Masses of the perturbed answer's segments (n); they sum to 1.
        joint: Returns the semantic distance between two groups of segments.
        compare: Returns the conflict between two groups of segments, whose cost is fact_ij.
    """
    semantic = discount_rewordings(semantic, compare)
    cost, plan, conflicts = _solve(semantic, a, b, compare)
    moved = plan * cost
    clean, perturbed = (moved.sum(1) / a).tolist(), (moved.sum(0) / b).tolist()
    clean_partners, perturbed_partners = plan.argmax(1).tolist(), plan.argmax(0).tolist()
    clean_reasons = [conflicts.get(pair, NO_CONFLICT) for pair in enumerate(clean_partners)]
    perturbed_reasons = [conflicts.get((i, j), NO_CONFLICT) for j, i in enumerate(perturbed_partners)]
    for ours, theirs in _matched_groups(plan, a, b):
        distance, alone = float(semantic[ours[0], theirs[0]]), len(ours) == len(theirs) == 1
        if not alone:
            unlike = compare.unlike(ours, theirs)
            distance = joint(ours, theirs) * rewording_weight(unlike)
            if unlike > _ALIKE and distance > min(semantic[i, j] for i in ours for j in theirs):
                continue  # a single pair is nearer than the groups, so they don't belong together
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
        [_explain(*each, "omission of the segment") for each in zip(clean, clean_reasons, strict=True)],
        [_explain(*each, "addition of the segment") for each in zip(perturbed, perturbed_reasons, strict=True)],
        [*map(_has_no_counterpart, rows, elsewhere)],
        [*map(_has_no_counterpart, zip(*rows, strict=True), zip(*elsewhere, strict=True))],
    )


def _has_no_counterpart(distances: Sequence[float], elsewhere: Sequence[bool]) -> bool:
    """Return whether every segment of the other answer is too far away, or repeats or is repeated by another one."""
    return min(distances) > NO_COUNTERPART or all(elsewhere)


def _explain(drift: float, found: Conflict, otherwise: str) -> Conflict:
    """Return the conflict found in the facts, or `otherwise` if there is none and the drift is large."""
    return found if found.reason or drift <= NO_COUNTERPART else Conflict(drift, otherwise)


def _solve(
    semantic: Array, a: Array, b: Array, compare: Comparer
) -> tuple[Array, Array, dict[tuple[int, int], Conflict]]:
    """Compute the costs, the optimal plan and the conflicts, comparing facts only for pairs that a plan uses.

    The plan minimises the cost plus a share of the semantic distance. Facts can only raise a cost, so a plan is optimal
    once the facts of every pair that it uses have been compared. Each round also compares the nearest pairs of the
    segments concerned, twice as many each time, to need few rounds.
    """
    cost = semantic.copy()
    if compare.said_elsewhere is not None:
        np.maximum(cost, SAID_ELSEWHERE.cost, out=cost, where=np.array(compare.said_elsewhere))
    nearness = NEARNESS * semantic
    conflicts: dict[tuple[int, int], Conflict] = {}

    def raise_costs(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Compare the facts of these pairs; return the pairs whose cost rose."""
        found = []
        for i, j in pairs:
            conflicts[i, j] = conflict = compare((i,), (j,))
            if conflict.cost > cost[i, j]:
                cost[i, j] = conflict.cost
                found.append((i, j))
        return found

    nearest = cost.argsort(1).tolist()
    reach = [1] * len(nearest)
    raise_costs((i, row[0]) for i, row in enumerate(nearest))  # most plans use these pairs
    outdated = True
    while outdated:
        plan = transport_plan(cost + nearness, a, b)
        rows, columns = plan.nonzero()
        used = [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if pair not in conflicts]
        for i in {i for i, _ in used}:
            used += [(i, j) for j in nearest[i][: reach[i]] if (i, j) not in conflicts]
            reach[i] *= 2
        outdated = any(plan[pair] for pair in raise_costs(dict.fromkeys(used)))
    return cost, plan, conflicts


def discount_rewordings(semantic: Array, compare: Comparer) -> Array:
    """Lower the semantic distances (m, n) between mutual nearest neighbours that share most of their words.

    Encoders treat synonyms, short forms and spelling variants as changes; the word lists know that they mean the same.
    """
    lower = semantic.copy()
    nearest, back = semantic.argmin(1).tolist(), semantic.argmin(0).tolist()
    for i, j in enumerate(nearest):
        if back[j] == i and semantic[i, j]:
            lower[i, j] *= rewording_weight(compare.unlike((i,), (j,)))
    return lower


def rewording_weight(unlike: float) -> float:
    """Return the factor for an encoder's distance between segments, given the share of their words that differ."""
    return min(1.0, 0.25 + 1.1 * unlike)


def _matched_groups(plan: Array, a: Array, b: Array) -> Iterator[tuple[Group, Group]]:
    """Yield pairs of groups that may correspond: a segment, and one or more of the other side whose mass mostly goes
    to it."""
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
    """Normalise sizes to shares that sum to 1."""
    shares: Array = np.array(sizes, dtype=np.float64) / sum(sizes)
    return shares
