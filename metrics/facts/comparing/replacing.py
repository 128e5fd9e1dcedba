"""Compares things that replace each other: fox and badger, penicillin and amoxicillin."""

from __future__ import annotations

from functools import cache
from itertools import product

from holdfast.language.lexicon_tables import lexicon_language, sides_of
from holdfast.language.spelling import frequency, slip_distance
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.terms import neighbours

REPLACED = 0.5
"""The cost of a rare word replaced by another rare one if nothing else differs: penicillin, amoxicillin."""

_REAL, _RARE = 1.0, 3.5
"""Zipf frequencies from which a string is a word, and below which a word is rare."""

_NOT_NOUNS = tuple("ed ing ly ous ful ive able ible less ish".split())
"""Endings of words that are not nouns; these have more synonyms."""

_REWORDED = 0.5
"""Up to this share of reworded stems, segments are about the same thing."""

_OTHER_KIND = 0.6
"""The cost of a thing replaced by another of the same category: a fox, a badger."""


def replacement_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Return the conflict of one thing in place of another.

    The two must belong to the same category, or be the only difference and both rare. Encoders find such words similar
    because they occur in similar sentences; rare words are seldom synonyms.
    """
    if lexicon_language(ours.language) == lexicon_language(theirs.language) == "en" and found.reworded <= _REWORDED:
        kinds = _kinds()
        for one, other in product(sorted(found.lost & kinds.keys()), sorted(found.gained & kinds.keys())):
            if _are_apart(one, other) and _stand_alike(ours, theirs, found, one, other):
                return Conflict(_OTHER_KIND, f"word {ours.forms.get(one, one)} -> {theirs.forms.get(other, other)}")
    if len(found.lost) != 1 or len(found.gained) != 1 or found.opposites or found.alike or len(ours.order) < 2:
        return NO_CONFLICT
    [mine], [its] = found.lost, found.gained
    if [mine if term.key == its else term.key for term in theirs.order] != [term.key for term in ours.order]:
        return NO_CONFLICT
    words = ours.forms.get(mine, mine), theirs.forms.get(its, its)
    if slip_distance(*words) or any(word.lower().endswith(_NOT_NOUNS) for word in words):
        return NO_CONFLICT
    if any(not _REAL <= frequency(word.lower(), ours.language) < _RARE for word in words):
        return NO_CONFLICT
    return Conflict(REPLACED, f"word {words[0]} -> {words[1]}")


def _are_apart(one: str, other: str) -> bool:
    """Return whether two stems name different things of one category, and in no category the same thing."""
    mine, its = _kinds().get(one, {}), _kinds().get(other, {})
    shared = mine.keys() & its.keys()
    return bool(shared) and all(mine[kind] != its[kind] for kind in shared)


def _stand_alike(ours: Facts, theirs: Facts, found: Difference, one: str, other: str) -> bool:
    """Return whether two words have a common neighbour, or no neighbour, on the same side."""
    alike = dict(found.alike)
    mine, its = neighbours(ours.order, one, ""), neighbours(theirs.order, other, "")
    return any(
        here == there or here & {alike.get(key, key) for key in there} for here, there in zip(mine, its, strict=True)
    )


@cache
def _kinds() -> dict[str, dict[int, int]]:
    """Map the stems of things to their categories, each with the number of the thing within the category."""
    found: dict[str, dict[int, int]] = {}
    for kind, sides in enumerate(sides_of("kinds_en.txt")):
        for side, words in enumerate(sides):
            for word in words:
                found.setdefault(stem(word), {})[kind] = side
    return found
