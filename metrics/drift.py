"""Segment drift: how far the worst segment of an answer moved, which a whole-answer score hides."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any

import numpy as np

from holdfast.metrics.facts import Conflict, conflict, facts_of
from holdfast.metrics.registry import pair_metric
from holdfast.metrics.segments import Granularity, Segment, segment
from holdfast.metrics.transport import Array, transport_plan
from holdfast.metrics.types import Encode, Scores

TAIL = 0.25
"""The share of the mass that `tail_drift` looks at: the worst quarter."""

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
        values, masses = np.concatenate([_side(self.clean), _side(self.perturbed)], axis=1)
        worst = float(values.max())
        return {
            "max_drift": worst,
            "tail_drift": _tail(values, masses / 2),
            "mean_drift": float(values @ masses / 2),
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


def _drift(clean: str, perturbed: str, parts: dict[str, list[Segment]], vectors: dict[str, Array]) -> Drift:
    ours, theirs = parts[clean], parts[perturbed]
    whole = _distance(vectors[clean], vectors[perturbed])
    if not ours or not theirs:
        lost = starmap(SegmentDrift, ((part, 1.0, None, "lost") for part in ours))
        added = starmap(SegmentDrift, ((part, 1.0, None, "added") for part in theirs))
        return Drift(tuple(lost), tuple(added), float(bool(ours or theirs)))
    conflicts = _conflicts(ours, theirs)
    cost = np.array(
        [
            [max(_segment_distance(s, t, vectors), conflicts[i][j].cost) for j, t in enumerate(theirs)]
            for i, s in enumerate(ours)
        ]
    )
    a, b = _masses(ours), _masses(theirs)
    plan = transport_plan(cost, a, b)
    moved = plan * cost
    return Drift(
        _sides(ours, theirs, moved.sum(1) / a, plan, conflicts),
        _sides(theirs, ours, moved.sum(0) / b, plan.T, [list(row) for row in zip(*conflicts, strict=True)]),
        whole,
    )


def _sides(
    segments: list[Segment],
    others: list[Segment],
    values: Array,
    plan: Array,
    conflicts: list[list[Conflict]],
) -> tuple[SegmentDrift, ...]:
    partners = plan.argmax(1)
    return tuple(
        SegmentDrift(part, min(1.0, max(0.0, float(value))), others[j], conflicts[i][j].reason)
        for i, (part, value, j) in enumerate(zip(segments, values, partners, strict=True))
    )


def _conflicts(ours: list[Segment], theirs: list[Segment]) -> list[list[Conflict]]:
    facts = {part.text: facts_of(part.text) for part in (*ours, *theirs)}
    return [[conflict(facts[s.text], facts[t.text]) for t in theirs] for s in ours]


def _segment_distance(s: Segment, t: Segment, vectors: dict[str, Array]) -> float:
    return 0.0 if s.text == t.text else _distance(vectors[s.text], vectors[t.text])


def _distance(u: Array, v: Array) -> float:
    return float(min(1.0, max(0.0, 1.0 - float(u @ v))))


def _encode_all(texts: Sequence[str], encode: Encode) -> dict[str, Array]:
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return {}
    return dict(zip(distinct, encode(distinct).astype(np.float64), strict=True))


def _masses(segments: list[Segment]) -> Array:
    masses: Array = np.array([part.mass for part in segments], dtype=np.float64)
    total: Array = masses / masses.sum()
    return total


def _side(segments: Sequence[SegmentDrift]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(2, m): drifts and masses."""
    return np.stack([np.array([part.drift for part in segments]), _masses([part.segment for part in segments])])


def _tail(values: Array, masses: Array) -> float:
    """CVaR: the mean over the worst TAIL of the mass (Rockafellar and Uryasev 2000)."""
    order = np.argsort(-values, kind="stable")
    ends = np.minimum(np.cumsum(masses[order]), TAIL)
    taken = np.array([after - before for before, after in pairwise([0.0, *ends])])
    return float(values[order] @ taken / TAIL)
