"""Aligns the segments of two answers by optimal transport."""

from holdfast.metrics.alignment.aligning import (
    REFUSAL,
    SAME,
    Alignment,
    Group,
    Judge,
    Judgement,
    align,
    masses,
)
from holdfast.metrics.alignment.distances import Distances
from holdfast.metrics.alignment.transport import Array, transport_plan

__all__ = [
    "REFUSAL",
    "SAME",
    "Alignment",
    "Array",
    "Distances",
    "Group",
    "Judge",
    "Judgement",
    "align",
    "masses",
    "transport_plan",
]
