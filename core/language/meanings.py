"""What words do, exclude and may stand for, by their stems: the tables of a language, and which words are kin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import combinations

from holdfast.language.lexicon_tables import PARTICLES, conflict_sides, conflicts, rows_in, synonym_groups, words_in
from holdfast.language.stems import are_opposite_forms, stem

_SAME_STEM = 5
"""From so many common first letters on two words are kin: announce, announcement."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words after the first, and the one word that the phrase means ("" for a phrase that means nothing)."""

    rest: tuple[str, ...]
    word: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What is known of words: their jobs (`small`, `not`, `all`, ...), and phrases by the
    stem of their first word and the second, the verbs among the first words that take a particle, numbers in words."""

    jobs: dict[str, frozenset[str]] = field(default_factory=dict)
    phrases: dict[tuple[str, str], list[Phrase]] = field(default_factory=dict)
    verbs: set[str] = field(default_factory=set)
    numbers: dict[str, tuple[str, float]] = field(default_factory=dict)
    long_numbers: dict[str, list[tuple[tuple[str, ...], float]]] = field(default_factory=dict)
    """Numbers of several words by their first: the words that follow, longest first, and the value."""
    more: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    """What adds to the number before it: and a half."""


@cache
def tables(language: str) -> Tables:
    """The tables of a language with a file of its own (see `language_files`); for all others those of English and
    Hindi, and of Hinglish where a text is in it."""
    jobs: dict[str, set[str]] = {}
    for job, words in rows_in("words", language):
        for word in words.split():
            jobs.setdefault(word, set()).add(job)
    found = Tables({word: frozenset(its) for word, its in jobs.items()})
    meanings = {}
    for _, row in rows_in("phrases", language):
        phrase, _, word = row.partition("=")
        meanings[tuple(phrase.split())] = word.strip().strip("-")
    for word in (word for group in (*synonym_groups(language), *conflict_sides(language)) for word in group):
        if "_" in word.strip("_") and (parts := tuple(word.split("_"))) and word not in jobs:
            meanings.setdefault(parts, word)
    for (first, *rest), word in sorted(meanings.items(), key=lambda item: -len(item[0])):
        found.phrases.setdefault((stem(first, language), rest[0]), []).append(Phrase(tuple(rest), word))
        if rest[0] in PARTICLES:
            found.verbs.add(stem(first, language))
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
    return found


@cache
def phrase_starts(language: str) -> frozenset[str]:
    """The stems that phrases begin with."""
    return frozenset(first for first, _ in tables(language).phrases) | tables(language).verbs


@cache
def synonyms(language: str) -> dict[str, frozenset[int]]:
    """The groups that a stem belongs to; two stems that share one may stand for each other."""
    found: dict[str, set[int]] = {}
    for number, group in enumerate([*synonym_groups(language), *conflict_sides(language)]):
        for word in group:
            found.setdefault(stem(word, language), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def contrasts(language: str) -> dict[tuple[str, str], str]:
    """Pairs of stems that exclude each other, either way round, and the kind of their conflict."""
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
    """The stems that exclude some other."""
    return frozenset(one for one, _ in contrasts(language))


@cache
def stems_with_jobs(language: str, *jobs: str) -> frozenset[str]:
    """The stems of words with one of these jobs: `soft_not` says no, `weak_not` may say it."""
    rows = (words.split() for job, words in rows_in("words", language, everything=True) if job in jobs)
    return frozenset(stem(word, language) for words in rows for word in words)


@lru_cache(maxsize=1 << 16)
def are_related(one: str, other: str, language: str = "en") -> bool:
    """Whether two stems may mean the same: synonyms by table, or words of one family.

    >>> pairs = [("purchased", "buy"), ("announcement", "announced"), ("cat", "car")]
    >>> [are_related(stem(one), stem(other)) for one, other in pairs]
    [True, True, False]
    """
    groups = synonyms(language)
    if not groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset())):
        return True
    if are_opposite_forms(one, other):
        return False
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short) and (len(short) >= 4 or len(long) - len(short) >= 4):
        return True
    common = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(short))
    return common >= _SAME_STEM and common >= len(short) - 3


@lru_cache(maxsize=1 << 16)
def relation_keys(one: str, language: str = "en") -> frozenset[int | str]:
    """What two stems must share to be kin: a group of synonyms or their first letters."""
    return synonyms(language).get(one, frozenset[int | str]()) | {one[:3]}


@cache
def actors() -> frozenset[str]:
    """The stems of English nouns for somebody, or something, that acts on others."""
    return frozenset(map(stem, words_in("actors_en.txt")))
