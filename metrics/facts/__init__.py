"""Facts that sentence encoders miss (numbers, names, negations, roles, ...), read and compared by rule."""

from holdfast.metrics.facts.comparing.comparer import Comparer, comparer, findings
from holdfast.metrics.facts.reading.agreement import unmatched
from holdfast.metrics.facts.reading.fact_types import Facts, Finding
from holdfast.metrics.facts.reading.segment_facts import facts_of
from holdfast.metrics.facts.reading.weighed_words import Worded, words_of

__all__ = [
    "Comparer",
    "Facts",
    "Finding",
    "Worded",
    "comparer",
    "facts_of",
    "findings",
    "unmatched",
    "words_of",
]
