"""Lexical knowledge by stem: the jobs that words do, synonyms, contrasts, and whether two words are related."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import combinations

from holdfast.language.lexicon_tables import PARTICLES, conflict_sides, conflicts, rows_in, synonym_groups
from holdfast.language.stems import are_opposite_forms, stem

_SAME_STEM = 5
"""Minimum length of the common prefix of two related words: announce, announcement."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase without its first word.

    Attributes:
        rest: The words after the first.
        word: The single word that the phrase means; "" if it means nothing.
    """

    rest: tuple[str, ...]
    word: str


@dataclass(frozen=True, slots=True)
class Tables:
    """Lookup tables of a language.

    Attributes:
        jobs: The jobs that each word does in a statement (`small`, `not`, `all`, ...; see `data/words.txt`).
        phrases: Phrases by the stem of their first word and by their second word.
        verbs: Stems of the verbs that can take a particle.
        numbers: Number words with their kind and value.
        long_numbers: Numbers of several words by their first word: the following words and the value, longest first.
        more: Phrases that add to the number before them, such as "and a half", with their value.
    """

    jobs: dict[str, frozenset[str]] = field(default_factory=dict)
    phrases: dict[tuple[str, str], list[Phrase]] = field(default_factory=dict)
    verbs: set[str] = field(default_factory=set)
    numbers: dict[str, tuple[str, float]] = field(default_factory=dict)
    long_numbers: dict[str, list[tuple[tuple[str, ...], float]]] = field(default_factory=dict)
    more: list[tuple[tuple[str, ...], float]] = field(default_factory=list)


@cache
def tables(language: str) -> Tables:
    """Return the lookup tables of a language.

    A language with its own file (see `holdfast.language.language_files`) has its own tables; all others share those of
    English and Hindi, with those of Hinglish added for Hinglish texts.
    """
    found = Tables(_jobs(language))
    meanings = _phrase_meanings(language, found.jobs)
    for (first, *rest), word in sorted(meanings.items(), key=lambda item: -len(item[0])):
        found.phrases.setdefault((stem(first, language), rest[0]), []).append(Phrase(tuple(rest), word))
        if rest[0] in PARTICLES:
            found.verbs.add(stem(first, language))
    _add_numbers(found, language)
    return found


def _jobs(language: str) -> dict[str, frozenset[str]]:
    jobs: dict[str, set[str]] = {}
    for job, words in rows_in("words", language):
        for word in words.split():
            jobs.setdefault(word, set()).add(job)
    return {word: frozenset(its) for word, its in jobs.items()}


def _phrase_meanings(language: str, jobs: Mapping[str, frozenset[str]]) -> dict[tuple[str, ...], str]:
    """Return the words of each phrase with its meaning; a multi-word synonym or antonym means itself."""
    meanings: dict[tuple[str, ...], str] = {}
    for _, row in rows_in("phrases", language):
        phrase, _, word = row.partition("=")
        meanings[tuple(phrase.split())] = word.strip().strip("-")
    for word in (word for group in (*synonym_groups(language), *conflict_sides(language)) for word in group):
        if "_" in word.strip("_") and (parts := tuple(word.split("_"))) and word not in jobs:
            meanings.setdefault(parts, word)
    return meanings


def _add_numbers(found: Tables, language: str) -> None:
    for head, words in rows_in("numbers", language):
        *kind, value = head.split()
        for word in words.split():
            first, *others = word.split("_")
            if kind == ["more"]:
                found.more.append(((first, *others), float(value)))
            elif others:
                found.long_numbers.setdefault(first, []).append((tuple(others), float(value)))
            else:
                found.numbers[word] = kind[0] if kind else "number", float(value)
    for forms in found.long_numbers.values():
        forms.sort(key=lambda form: -len(form[0]))


@cache
def phrase_starts(language: str) -> frozenset[str]:
    """Return the stems with which phrases start."""
    return frozenset(first for first, _ in tables(language).phrases) | tables(language).verbs


@cache
def synonyms(language: str) -> dict[str, frozenset[int]]:
    """Return the synonym groups of each stem; two stems that share a group are interchangeable."""
    found: dict[str, set[int]] = {}
    for number, group in enumerate([*synonym_groups(language), *conflict_sides(language)]):
        for word in group:
            found.setdefault(stem(word, language), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def contrasts(language: str) -> dict[tuple[str, str], str]:
    """Return the pairs of stems that exclude each other, in both orders, with the kind of contrast."""
    found: dict[tuple[str, str], str] = {}
    for kind, sides in conflicts(language):
        for one, other in combinations(sides, 2):
            for pair in ((stem(a, language), stem(b, language)) for a in one for b in other):
                if pair[0] != pair[1]:
                    found.setdefault(pair, kind)
                    found.setdefault(pair[::-1], kind)
    return found


@cache
def contrasting_stems(language: str) -> frozenset[str]:
    """Return the stems that exclude at least one other stem."""
    return frozenset(one for one, _ in contrasts(language))


@cache
def stems_with_jobs(language: str, *jobs: str) -> frozenset[str]:
    """Return the stems of words that do any of these jobs, such as `soft_not`."""
    rows = (words.split() for job, words in rows_in("words", language, everything=True) if job in jobs)
    return frozenset(stem(word, language) for words in rows for word in words)


@lru_cache(maxsize=1 << 16)
def are_related(one: str, other: str, language: str = "en") -> bool:
    """Return whether two stems may mean the same: they are listed synonyms or share a word family.

    >>> pairs = [("purchased", "buy"), ("announcement", "announced"), ("cat", "car")]
    >>> [are_related(stem(one), stem(other)) for one, other in pairs]
    [True, True, False]
    """
    if are_synonyms(one, other, language):
        return True
    if are_opposite_forms(one, other):
        return False
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short) and (len(short) >= 4 or len(long) - len(short) >= 4):
        return True
    common = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(short))
    return common >= _SAME_STEM and common >= len(short) - 3


def are_synonyms(one: str, other: str, language: str = "en") -> bool:
    """Return whether two stems are listed as synonyms."""
    groups = synonyms(language)
    return not groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset()))


@lru_cache(maxsize=1 << 16)
def relation_keys(one: str, language: str = "en") -> frozenset[int | str]:
    """Return a stem's synonym groups and first letters; related stems share at least one of these keys."""
    return synonyms(language).get(one, frozenset[int | str]()) | {one[:3]}
