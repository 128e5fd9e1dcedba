"""Misspelt words: which word of one answer is a slip for which of the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from holdfast.language.lexicon_tables import known_names, lexicon_language, words_in
from holdfast.language.meanings import contrasts
from holdfast.language.stems import are_opposite_forms, stem

_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0963\u0980-\u0dff])"
_WORD = re.compile(rf"(?<![\w'’]){_LETTER}{{3,}}(?![\w’]|'(?!s\b))")
_RARER = 2.05
"""A slip is at least 10^2.05 times rarer than the word that was meant."""
_UNKNOWN = 1.0
"""Zipf frequency under which a word counts as no word at all."""

_COMMON = 3.0
"""From here on a word is common enough to be denied by its form."""


def slip_distance(one: str, other: str) -> int:
    """The distance of two words in typing slips, where it is small enough for them to be one; else 0.

    Optimal string alignment: a swap of neighbours counts one (Damerau 1964). Long words may have two slips.

    >>> slip_distance("restaurant", "resturant"), slip_distance("cat", "dog"), slip_distance("anna", "anya")
    (1, 0, 1)
    """
    shorter = min(len(one), len(other))
    allowed = 1 if shorter < 6 else 2 if shorter < 11 else 3
    if shorter < 3 or abs(len(one) - len(other)) > allowed:
        return 0
    found = OSA.distance(one, other, score_cutoff=allowed)
    return found if found <= allowed else 0


@lru_cache(maxsize=1 << 16)
def find_misspelling(one: str, other: str, language: str = "en") -> str:
    """Which of two lower-case words is a misspelling of the other; "" where neither is.

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
    """How common a word is in its language: the logarithm of its occurrences per thousand million words (Zipf)."""
    from wordfreq import zipf_frequency

    code = "hi" if "\u0900" <= word[:1] <= "\u097f" else language if language in _counted() else "en"
    return float(zipf_frequency(word, code))


@lru_cache(maxsize=1 << 16)
def is_negated_form(word: str) -> bool:
    """Whether an English word is another one denied.

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
    """The stems of words that have the form of a denial only: discount, unless."""
    return frozenset(map(stem, words_in("no_denials_en.txt")))


@cache
def _counted() -> frozenset[str]:
    """The languages whose words are counted, where nothing more is needed to tell words apart."""
    from wordfreq import available_languages

    return frozenset(available_languages()) - {"zh", "ja", "ko"}


def correct_misspellings(
    clean: Sequence[str], perturbed: Sequence[str], language: str = "en"
) -> tuple[list[str], list[str]]:
    """Both answers' segments, with misspelt words as the other answer writes them.

    Only a word that one answer alone has is mended, with a word that the other alone has; so neither a right word nor
    one that both misspell is touched, and the result is the same the other way round.

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
    """All words of an answer; remembered, as a clean one meets all its variants."""
    return frozenset().union(*map(_words, texts))


@lru_cache(maxsize=1 << 15)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _replaced(texts: Sequence[str], words: dict[str, str]) -> list[str]:
    if not words:
        return list(texts)

    def right(found: re.Match[str]) -> str:
        meant = words.get(found.group().lower())
        return found.group() if meant is None else meant.capitalize() if found.group()[0].isupper() else meant

    return [_WORD.sub(right, text) if words.keys() & _words(text) else text for text in texts]
