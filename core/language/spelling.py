"""Finds misspelt words by comparing two answers: which word of one is a misspelling of a word of the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import regex
from rapidfuzz.distance import OSA

from holdfast.language.lexicon_tables import known_names, lexicon_language
from holdfast.language.meanings import contrasts
from holdfast.language.stems import are_opposite_forms, stem
from holdfast.language.word_tables import words_in

_WORD: Any = regex.compile(r"(?<![\w'’])[\p{L}\p{M}]{3,}+(?![\w’]|'(?!s\b))")
"""A word that may be misspelt: all letters, and no contraction."""
_RARER = 2.05
"""A misspelling is at least 10^2.05 times rarer than the intended word."""
_RARE = 2.0
"""Zipf frequency below which a word may be a misspelling."""
_UNKNOWN = 1.0
"""Words with a lower Zipf frequency count as unknown."""

_COMMON = 3.0
"""Minimum Zipf frequency of a word for "un-" or "-less" to count as its negation."""


def slip_distance(one: str, other: str) -> int:
    """Return the number of typing errors between two words, or 0 if they are equal or too different.

    Optimal string alignment distance, in which swapping two neighbours counts as one error (Damerau 1964). One error is
    allowed in words of 3 to 5 letters, two up to 10 letters, three in longer words.

    >>> slip_distance("restaurant", "resturant"), slip_distance("cat", "dog"), slip_distance("anna", "anya")
    (1, 0, 1)
    """
    shorter = min(len(one), len(other))
    allowed = 1 if shorter < 6 else 2 if shorter < 11 else 3
    if shorter < 3 or abs(len(one) - len(other)) > allowed:
        return 0
    found = OSA.distance(one, other, score_cutoff=allowed)
    return found if found <= allowed else 0


def is_slip(one: str, other: str, language: str = "en") -> bool:
    """Return whether one of two lower-case words may be a slip for the other: few letters apart, and one is rare."""
    return bool(slip_distance(one, other)) and (is_rare(one, language) or is_rare(other, language))


@lru_cache(maxsize=1 << 16)
def is_rare(word: str, language: str = "en") -> bool:
    """Return whether a lower-case word is so rare that it may be a misspelling."""
    return len(word) > 3 and frequency(word, language) < _RARE


@lru_cache(maxsize=1 << 16)
def find_misspelling(one: str, other: str, language: str = "en") -> str:
    """Return which of two lower-case words is a misspelling of the other, or "" if neither is.

    >>> find_misspelling("receive", "recieve"), find_misspelling("increase", "decrease"), find_misspelling("hot", "hat")
    ('recieve', '', '')
    """
    stems = stem(one, language), stem(other, language)
    if not slip_distance(one, other) or stems in contrasts(lexicon_language(language)) or are_opposite_forms(*stems):
        return ""
    if {one, other} <= known_names(language):
        return ""
    first, second = frequency(one, language), frequency(other, language)
    rarer = one if (first, one) < (second, other) else other
    if min(first, second) < _UNKNOWN:
        return rarer if max(first, second) >= _UNKNOWN else ""
    return rarer if abs(first - second) >= _RARER else ""


@lru_cache(maxsize=1 << 16)
def frequency(word: str, language: str = "en") -> float:
    """Return the Zipf frequency of a word in its language: log10 of its occurrences per billion words."""
    from wordfreq import freq_to_zipf, get_frequency_dict, zipf_frequency

    code = "hi" if "\u0900" <= word[:1] <= "\u097f" else language if language in _counted() else "en"
    if (
        word.isascii() and word.isalpha() and word.islower()
    ):  # nothing to cut or normalise, which takes most of the time
        found = get_frequency_dict(code).get(word)
        return round(freq_to_zipf(found), 2) if found else 0.0
    return float(zipf_frequency(word, code))


@lru_cache(maxsize=1 << 16)
def is_negated_form(word: str) -> bool:
    """Return whether an English word is a common word with a negative prefix or "-less".

    >>> is_negated_form("unaware"), is_negated_form("painless"), is_negated_form("uncle"), is_negated_form("discounts")
    (True, True, False, False)
    """
    if stem(word) in _no_denials():
        return False
    roots = [word.removeprefix(prefix) for prefix in ("un", "dis", "non", "ir") if word.startswith(prefix)]
    roots += [word.removesuffix("less")] if word.endswith("less") else []
    return any(len(root) > 3 and frequency(root) >= _COMMON for root in roots)


@cache
def _no_denials() -> frozenset[str]:
    """Return the stems of words that only look negated, such as "discount" and "unless"."""
    return frozenset(map(stem, words_in("no_denials_en.txt")))


@cache
def _counted() -> frozenset[str]:
    """Return the languages with word frequencies that can be looked up without further packages."""
    from wordfreq import available_languages

    return frozenset(available_languages()) - {"zh", "ja", "ko"}


def correct_misspellings(
    clean: Sequence[str], perturbed: Sequence[str], language: str = "en"
) -> tuple[list[str], list[str]]:
    """Replace misspelt words in two answers with the spelling used in the other answer.

    Only words unique to one answer are compared with words unique to the other, so correct words and shared
    misspellings are kept, and the result is symmetric.

    Args:
        clean: Segments of the clean answer.
        perturbed: Segments of the perturbed answer.

    Returns:
        The corrected segments of both answers.

    >>> correct_misspellings(["They met at the restaurant."], ["They mett at teh resturant."])[1]
    ['They met at the restaurant.']
    """
    ours, theirs = _vocabulary(tuple(clean)), _vocabulary(tuple(perturbed))
    if not (only_ours := ours - theirs) or not (only_theirs := theirs - ours):
        return list(clean), list(perturbed)
    to_ours: dict[str, str] = {}
    to_theirs: dict[str, str] = {}
    by_first: dict[str, list[str]] = {}
    by_last: dict[str, list[str]] = {}
    for other in sorted(only_theirs):
        by_first.setdefault(other[0], []).append(other)
        by_last.setdefault(other[-1], []).append(other)
    for word in sorted(only_ours):
        for other in sorted({*by_first.get(word[0], ()), *by_last.get(word[-1], ())}):
            if wrong := find_misspelling(word, other, language):
                (to_theirs if wrong == other else to_ours)[wrong] = word if wrong == other else other
    return _replaced(clean, to_ours), _replaced(perturbed, to_theirs)


@lru_cache(maxsize=1 << 12)
def _vocabulary(texts: tuple[str, ...]) -> frozenset[str]:
    """Return all words of an answer; cached because a clean answer is compared with all its variants."""
    return frozenset().union(*map(_words, texts))


@lru_cache(maxsize=1 << 15)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _replaced(texts: Sequence[str], words: dict[str, str]) -> list[str]:
    if not words:
        return list(texts)

    def right(found: Any) -> str:
        meant = words.get(found.group().lower())
        return found.group() if meant is None else meant.capitalize() if found.group()[0].isupper() else meant

    return [_WORD.sub(right, text) if words.keys() & _words(text) else text for text in texts]
