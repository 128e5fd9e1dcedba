"""Facts that sentence encoders miss (numbers, names, negations, roles, ...), read and compared by rule."""

from holdfast.metrics.facts.comparing.comparer import SAID_ELSEWHERE, Comparer, comparer, conflict
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.quantity import value_of
from holdfast.metrics.facts.reading.segment_facts import facts_of

__all__ = [
    "NO_CONFLICT",
    "SAID_ELSEWHERE",
    "Comparer",
    "Conflict",
    "Facts",
    "comparer",
    "conflict",
    "facts_of",
    "value_of",
]
