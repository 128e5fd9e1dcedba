"""Aligns the segments of two answers by optimal transport."""

from holdfast.metrics.alignment.aligning import NEARNESS, REFUSAL, Alignment, Group, Judgement, align, masses
from holdfast.metrics.alignment.distances import Distances
from holdfast.metrics.alignment.transport import transport_plan

__all__ = ["NEARNESS", "REFUSAL", "Alignment", "Distances", "Group", "Judgement", "align", "masses", "transport_plan"]
