"""Segment drift: how far the worst segment of an answer moved, which a whole-answer score hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.metrics.facts import Conflict, conflict, facts_of
from holdfast.metrics.registry import pair_metric
from holdfast.metrics.segments import Granularity, Segment, segment
from holdfast.metrics.transport import transport_plan
from holdfast.metrics.types import Encode, Scores

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[np.float32]]

T = TypeVar("T")
Matrix = list[list[float]]

TAIL = 0.25
"""The share of the mass that `tail_drift` looks at: the worst quarter."""

BREAK = 0.5
"""From this `max_drift` on an answer counts as another one."""

DRIFTS = ("max_drift", "tail_drift", "mean_drift", "global_drift", "hidden_drift")


@dataclass(frozen=True, slots=True)
class SegmentDrift:
    """One segment, how far it drifted in [0, 1], the segment of the other answer that most of it went to, and why."""

    segment: Segment
    drift: float
    partner: Segment | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of one pair of answers, segment by segment on both sides, and the distance of the whole answers."""

    clean: tuple[SegmentDrift, ...]
    perturbed: tuple[SegmentDrift, ...]
    global_drift: float

    def scores(self) -> Scores:
        """The five numbers of a pair, each in [0, 1]; both answers empty -> 0, one empty -> 1."""
        if not self.clean and not self.perturbed:
            return dict.fromkeys(DRIFTS, 0.0)
        if not self.clean or not self.perturbed:
            return {**dict.fromkeys(DRIFTS, 1.0), "hidden_drift": 0.0}
        weighed = [
            (part.drift, mass / 2)
            for side in (self.clean, self.perturbed)
            for part, mass in zip(side, _masses([part.segment for part in side]), strict=True)
        ]
        worst = max(drift for drift, _ in weighed)
        return {
            "max_drift": worst,
            "tail_drift": _tail(weighed),
            "mean_drift": _clipped(sum(drift * mass for drift, mass in weighed)),
            "global_drift": self.global_drift,
            "hidden_drift": max(0.0, worst - self.global_drift),
        }

    def worst(self) -> SegmentDrift | None:
        """The segment that drifted most, the clean side's on a tie; None where nothing drifted."""
        worst = max((*self.clean, *self.perturbed), key=lambda part: part.drift, default=None)
        return worst if worst and worst.drift > 0 else None


@pair_metric("segment_drift", dict.fromkeys(DRIFTS, False), needs_encoder=True)
def segment_drift(
    clean: Sequence[str], perturbed: Sequence[str], *, encode: Encode, granularity: Granularity = "sentence"
) -> list[Scores]:
    """max, tail, mean, global and hidden drift of each pair of answers, in [0, 1]; identical answers give 0."""
    return [drift.scores() for drift in drifts(clean, perturbed, encode=encode, granularity=granularity)]


def drifts(
    clean: Sequence[str],
    perturbed: Sequence[str],
    *,
    encode: Encode,
    granularity: Granularity = "sentence",
    pipeline: str | None = None,
) -> list[Drift]:
    """Align each clean answer with its perturbed one and measure every segment's drift.

    Segment i of the clean answer drifts by d_i = sum_j P_ij C_ij / a_i, where P is the optimal transport plan between
    the segments' masses under C_ij = max(1 - cos(e_i, e_j), contradiction_ij); the other side likewise. All texts that
    differ are encoded in one call.

    >>> from holdfast.metrics.encoders import lexical
    >>> before, after = "Anna meets Ben. They leave at 12.", "Anna meets Ben. They leave at 21."
    >>> worst = drifts([before], [after], encode=lexical())[0].worst()
    >>> worst.segment.text, worst.reason
    ('They leave at 12.', 'number 12 -> 21')
    """
    changed = [i for i, pair in enumerate(zip(clean, perturbed, strict=True)) if pair[0] != pair[1]]
    texts = list(dict.fromkeys(text for i in changed for text in (clean[i], perturbed[i])))
    parts = dict(zip(texts, segment(texts, granularity, pipeline), strict=True))
    vectors = _encode_all([*texts, *(part.text for text in texts for part in parts[text])], encode)
    found = {i: _drift(clean[i], perturbed[i], parts, vectors) for i in changed}
    unchanged = Drift((), (), 0.0)
    return [found.get(i, unchanged) for i in range(len(clean))]


def _drift(clean: str, perturbed: str, parts: dict[str, list[Segment]], vectors: dict[str, Vector]) -> Drift:
    ours, theirs = parts[clean], parts[perturbed]
    if not ours or not theirs:
        lost = tuple(SegmentDrift(part, 1.0, None, "lost") for part in ours)
        added = tuple(SegmentDrift(part, 1.0, None, "added") for part in theirs)
        return Drift(lost, added, float(bool(ours or theirs)))
    conflicts = _conflicts(ours, theirs)
    cost = [
        [max(_segment_distance(s, t, vectors), found.cost) for t, found in zip(theirs, row, strict=True)]
        for s, row in zip(ours, conflicts, strict=True)
    ]
    a, b = _masses(ours), _masses(theirs)
    plan = transport_plan(cost, a, b)
    return Drift(
        _side(ours, theirs, cost, plan, a, conflicts),
        _side(theirs, ours, _transposed(cost), _transposed(plan), b, _transposed(conflicts)),
        _distance(vectors[clean], vectors[perturbed]),
    )


def _side(
    segments: list[Segment],
    others: list[Segment],
    cost: Matrix,
    plan: Matrix,
    masses: list[float],
    conflicts: list[list[Conflict]],
) -> tuple[SegmentDrift, ...]:
    """d_i = sum_j P_ij C_ij / a_i, row by row."""
    found = []
    for i, part in enumerate(segments):
        moved = sum(p * c for p, c in zip(plan[i], cost[i], strict=True)) / masses[i]
        partner = max(range(len(others)), key=plan[i].__getitem__)
        found.append(SegmentDrift(part, _clipped(moved), others[partner], conflicts[i][partner].reason))
    return tuple(found)


def _conflicts(ours: list[Segment], theirs: list[Segment]) -> list[list[Conflict]]:
    facts = {part.text: facts_of(part.text) for part in (*ours, *theirs)}
    names = frozenset[str]().union(*(found.names for found in facts.values()))
    return [[conflict(facts[s.text], facts[t.text], names) for t in theirs] for s in ours]


def _segment_distance(s: Segment, t: Segment, vectors: dict[str, Vector]) -> float:
    return 0.0 if s.text == t.text else _distance(vectors[s.text], vectors[t.text])


def _distance(u: Vector, v: Vector) -> float:
    return _clipped(1.0 - float(u @ v))


def _encode_all(texts: Sequence[str], encode: Encode) -> dict[str, Vector]:
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, encode(distinct), strict=True)) if distinct else {}


def _masses(segments: Sequence[Segment]) -> list[float]:
    total = sum(part.mass for part in segments)
    return [part.mass / total for part in segments]


def _tail(drifts: Sequence[tuple[float, float]]) -> float:
    """CVaR of (drift, mass) pairs: the mean over the worst TAIL of the mass (Rockafellar and Uryasev 2000)."""
    left, total = TAIL, 0.0
    for drift, mass in sorted(drifts, reverse=True):
        taken = min(mass, left)
        total += drift * taken
        left -= taken
    return _clipped(total / TAIL)


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _transposed(rows: list[list[T]]) -> list[list[T]]:
    return [list(column) for column in zip(*rows, strict=True)]
