"""One thing in another's place."""

from __future__ import annotations

from functools import cache
from itertools import product

from holdfast.language.lexicon_tables import lexicon_language, sides_of
from holdfast.language.spelling import frequency, slip_distance
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts
from holdfast.metrics.facts.reading.terms import beside

REPLACED = 0.5
"""The cost of a rare word that another rare one stands for, where nothing else differs: penicillin, amoxicillin."""

_REAL, _RARE = 1.0, 3.5
"""Zipf frequencies from which on a word is one, and under which it is a rare one."""

_SAID_OF_THINGS = tuple("ed ing ly ous ful ive able ible less ish".split())
"""Endings of words that name no thing; these have more synonyms."""


_REWORDED = 0.5
"""Up to this share of words that others stand for, segments are about the same."""

_OTHER_KIND = 0.6
"""The cost of a thing of the same kind in another's place: a fox, a badger."""


def replaced(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """One thing in another's place: two of one kind, or, in a segment that is the same but for them, two that are rare.

    An encoder finds such words alike, as they stand in like sentences; a rare word is seldom another's only synonym.
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
    if slip_distance(*words) or any(word.lower().endswith(_SAID_OF_THINGS) for word in words):
        return NO_CONFLICT
    if any(not _REAL <= frequency(word.lower(), ours.language) < _RARE for word in words):
        return NO_CONFLICT
    return Conflict(REPLACED, f"word {words[0]} -> {words[1]}")


def _are_apart(one: str, other: str) -> bool:
    """Whether two stems name different things of one kind, and in no sense the same."""
    mine, its = _kinds().get(one, {}), _kinds().get(other, {})
    shared = mine.keys() & its.keys()
    return bool(shared) and all(mine[kind] != its[kind] for kind in shared)


def _stand_alike(ours: Facts, theirs: Facts, found: Difference, one: str, other: str) -> bool:
    """Whether the same stands right before or right behind two words, or nothing at all."""
    alike = dict(found.alike)
    mine, its = beside(ours.order, one, ""), beside(theirs.order, other, "")
    return any(
        here == there or here & {alike.get(key, key) for key in there} for here, there in zip(mine, its, strict=True)
    )


@cache
def _kinds() -> dict[str, dict[int, int]]:
    """By their stems, things with the kinds that they are of, and which one of its kind each is."""
    found: dict[str, dict[int, int]] = {}
    for kind, sides in enumerate(sides_of("kinds_en.txt")):
        for side, words in enumerate(sides):
            for word in words:
                found.setdefault(stem(word), {})[kind] = side
    return found
