"""One thing in another's place, in a segment that is the same but for it."""

from __future__ import annotations

from holdfast.metrics.facts.difference import Difference
from holdfast.metrics.facts.spelling import frequency, slips
from holdfast.metrics.facts.types import NO_CONFLICT, Conflict, Facts

REPLACED = 0.5
"""The cost of a rare word that another rare one stands for, where nothing else differs: penicillin, amoxicillin."""

_REAL, _RARE = 1.0, 3.5
"""Zipf frequencies from which on a word is one, and under which it is a rare one."""

_SAID_OF_THINGS = tuple("ed ing ly ous ful ive able ible less ish".split())
"""Endings of words that name no thing; these have more synonyms."""


def replaced(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """One rare thing in another's place, in a segment that is the same but for it.

    An encoder finds such words alike, as they stand in like sentences; a rare word is seldom another's only synonym.
    """
    if len(found.lost) != 1 or len(found.gained) != 1 or found.opposites or found.alike or len(ours.order) < 2:
        return NO_CONFLICT
    [mine], [its] = found.lost, found.gained
    if [mine if term.key == its else term.key for term in theirs.order] != [term.key for term in ours.order]:
        return NO_CONFLICT
    words = ours.forms.get(mine, mine), theirs.forms.get(its, its)
    if slips(*words) or any(word.lower().endswith(_SAID_OF_THINGS) for word in words):
        return NO_CONFLICT
    if any(not _REAL <= frequency(word.lower(), ours.language) < _RARE for word in words):
        return NO_CONFLICT
    return Conflict(REPLACED, f"word {words[0]} -> {words[1]}")
