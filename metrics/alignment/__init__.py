"""Aligns the segments of two answers by optimal transport."""

from holdfast.metrics.alignment.aligning import (
    NEARNESS,
    Alignment,
    Group,
    align,
    discount_rewordings,
    masses,
    rewording_weight,
)
from holdfast.metrics.alignment.distances import Distances
from holdfast.metrics.alignment.transport import transport_plan

__all__ = [
    "NEARNESS",
    "Alignment",
    "Distances",
    "Group",
    "align",
    "discount_rewordings",
    "masses",
    "rewording_weight",
    "transport_plan",
]
