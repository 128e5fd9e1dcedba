"""Phrases that mean what one word means, in a row or around their object: turn down, turn it down."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from holdfast.metrics.facts.stems import stem
from holdfast.metrics.facts.tables import tables
from holdfast.metrics.facts.tokens import Token

_PARTICLES = frozenset("up down off out back away".split())
_OBJECTS = frozenset("it them him her this that me us the a an his their my our your".split())
"""What an object that stands between a verb and its particle begins with."""


def phrase_at(tokens: Sequence[Token], at: int, used: Collection[int], language: str) -> tuple[str, list[int]] | None:
    """The word that a phrase beginning at a token stands for ("" for none), and the places of the phrase; None where no
    phrase begins."""
    for phrase in tables(language).phrases.get(stem(tokens[at].lower), ()):
        size = len(phrase.rest)
        places = list(range(at, at + size + 1))
        if size == 1 and phrase.rest[0] in _PARTICLES and at + 2 < len(tokens) and tokens[at + 1].lower in _OBJECTS:
            following = [token.lower for token in tokens[at + 2 : at + 5]]
            if phrase.rest[0] in following:
                places[1] = at + 2 + following.index(phrase.rest[0])
        fits = places[-1] < len(tokens) and all(
            tokens[place].lower == word for place, word in zip(places[1:], phrase.rest, strict=True)
        )
        if fits and not any(place in used for place in places):
            return phrase.word, places
    return None
