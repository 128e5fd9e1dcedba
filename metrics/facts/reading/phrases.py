"""Finds phrases that mean the same as a single word, contiguous or around their object: turn down, turn it down."""

from __future__ import annotations

from collections.abc import Sequence, Set

from holdfast.language.lexicon_tables import ALSO_PREPOSITIONS, PARTICLES
from holdfast.language.meanings import Tables, tables
from holdfast.language.stems import stem
from holdfast.metrics.facts.reading.tokens import Token


def phrase_at(tokens: Sequence[Token], at: int, used: Set[int], language: str) -> tuple[str, list[int]] | None:
    """Find a phrase that begins at a token.

    Args:
        tokens: The tokens of a segment.
        at: Index of the token.
        used: Indices of tokens that are not available.
        language: The language code of the segment.

    Returns:
        The word that the phrase means ("" if it means nothing) and the indices of its tokens; None if there is none.
    """
    if at + 1 == len(tokens):
        return None
    first, known = stem(tokens[at].lower, language), tables(language)
    for phrase in known.phrases.get((first, tokens[at + 1].lower), ()):
        places = list(range(at, at + 1 + len(phrase.rest)))
        if [token.lower for token in tokens[at + 1 : places[-1] + 1]] == [*phrase.rest] and not used & set(places):
            return phrase.word, places
    if first in known.verbs and "object" in known.jobs.get(tokens[at + 1].lower, ()):
        for place in range(at + 2, min(at + 5, len(tokens))):
            if tokens[place].lower in ALSO_PREPOSITIONS and _has_object(tokens, place, known):
                continue
            for phrase in known.phrases.get((first, tokens[place].lower), ()):
                if len(phrase.rest) == 1 and phrase.rest[0] in PARTICLES and not used & {at, place}:
                    return phrase.word, [at, place]
    return None


def _has_object(tokens: Sequence[Token], at: int, known: Tables) -> bool:
    """Return whether a word that may be a preposition has a noun after it: neither a mark, a conjunction nor another
    preposition.
    """
    if at + 1 == len(tokens) or tokens[at + 1].kind == "mark":
        return False
    return known.jobs.get(tokens[at + 1].lower, frozenset()).isdisjoint({"before", "after", "place", "conjunction"})
