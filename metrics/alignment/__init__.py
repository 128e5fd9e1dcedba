"""Which segment of one answer went to which of the other: distances, transport, and what is read off its plan."""

from holdfast.metrics.alignment.aligning import NEARNESS, Alignment, Group, align, masses, reworded, weight
from holdfast.metrics.alignment.distances import Distances
from holdfast.metrics.alignment.transport import transport_plan

__all__ = ["NEARNESS", "Alignment", "Distances", "Group", "align", "masses", "reworded", "transport_plan", "weight"]
