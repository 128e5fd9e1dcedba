"""The tables of a language: what its words do, what they exclude, what they may stand for; read once, from `data`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations

ALWAYS = ("en", "hi")
"""Languages whose tables are always read; those of another join them where a text is in it."""

LEVELS = {"none": 0.0, "few": 1.0, "some": 2.0, "many": 2.7, "most": 3.0, "all": 4.0}
"""How much of its noun a quantifier covers, in steps that differ by one where the meaning does."""


PARTICLES = frozenset("up down off out back away".split())
"""The second words of verbs that take their object between: turn it down."""


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


@cache
def tables(language: str) -> Tables:
    """The tables of English and Hindi, and of `language` (an ISO code, `hi-Latn` for Hinglish) where there are any."""
    from holdfast.metrics.facts.stems import stem

    read = {*ALWAYS, language}
    jobs: dict[str, set[str]] = {}
    for head, words in rows_of("words.txt"):
        owner, job = head.split()
        if owner in read:
            for word in words.split():
                jobs.setdefault(word, set()).add(job)
    found = Tables({word: frozenset(its) for word, its in jobs.items()})
    meanings = {}
    for owner, row in rows_of("phrases.txt"):
        if owner in read:
            phrase, _, word = row.partition("=")
            meanings[tuple(phrase.split())] = word.strip().strip("-")
    for word in (word for group in (*_groups("synonyms", read), *_sides("antonyms", read)) for word in group):
        if "_" in word.strip("_") and (parts := tuple(word.split("_"))) and word not in jobs:
            meanings.setdefault(parts, word)
    for (first, *rest), word in sorted(meanings.items(), key=lambda item: -len(item[0])):
        found.phrases.setdefault((stem(first), rest[0]), []).append(Phrase(tuple(rest), word))
        if rest[0] in PARTICLES:
            found.verbs.add(stem(first))
    for head, words in rows_of("numbers.txt"):
        owner, *kind, value = head.split()
        if owner in read:
            found.numbers.update({word: (kind[0] if kind else "number", float(value)) for word in words.split()})
    return found


@cache
def synonyms() -> dict[str, frozenset[int]]:
    """The groups that a stem belongs to; two stems that share one may stand for each other."""
    from holdfast.metrics.facts.stems import stem

    found: dict[str, set[int]] = {}
    groups = [*_groups("synonyms", None), *_sides("antonyms", None)]
    for number, group in enumerate(groups):
        for word in group:
            found.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def contrasts() -> dict[tuple[str, str], str]:
    """Pairs of stems that exclude each other, either way round, and the kind of their conflict."""
    from holdfast.metrics.facts.stems import stem

    found: dict[tuple[str, str], str] = {}
    for kind, sides in _contrasting(None):
        for one, other in combinations(sides, 2):
            for pair in ((stem(a), stem(b)) for a in one for b in other):
                if pair[0] != pair[1]:
                    found.setdefault(pair, kind)
                    found.setdefault(pair[::-1], kind)
    return found


@cache
def contrasted() -> frozenset[str]:
    """The stems that exclude some other."""
    return frozenset(one for one, _ in contrasts())


@cache
def denying_stems() -> frozenset[str]:
    """The stems of verbs and adjectives that say no, in all languages."""
    from holdfast.metrics.facts.stems import stem

    rows = (words.split() for head, words in rows_of("words.txt") if head.endswith(" soft_not"))
    return frozenset(stem(word) for words in rows for word in words)


@cache
def graded() -> dict[str, str]:
    """Comparatives and superlatives of the adjectives that compare: `higher` and `highest` -> `high`."""
    found: dict[str, str] = {}
    for kind, sides in _contrasting({"en"}):
        for word in (word for side in sides for word in side if kind == "comparison" and 2 < len(word) < 9):
            root = word.removesuffix("e")
            root = root[:-1] + "i" if root.endswith("y") else root
            doubled = root + root[-1] if root[-1] not in "aeiouwy" and root[-2] in "aeiou" else root
            for form in {root, doubled}:
                found |= {form + "er": word, form + "est": word}
    return found


@cache
def irregular() -> dict[str, str]:
    """Irregular English forms and their bases."""
    rows = [line.split() for line in _lines("irregular_en.txt")]
    return {form: base for base, *forms in rows for form in forms}


@cache
def abbreviations() -> dict[str, tuple[str, ...]]:
    """Short forms (capitals where only capitals count) and the words that they stand for."""
    rows = (line.split("=") for line in _lines("abbreviations.txt"))
    return {short.strip(): tuple(words.split()) for short, words in rows}


@cache
def known_names() -> frozenset[str]:
    """Given names and places, lower case."""
    return frozenset(word for line in _lines("names.txt") for word in line.split())


def _groups(table: str, languages: set[str] | None) -> Iterator[list[str]]:
    for name in _files(table, languages):
        yield from (line.split() for line in _lines(name))


def _sides(table: str, languages: set[str] | None) -> Iterator[list[str]]:
    for name in _files(table, languages):
        for line in _lines(name):
            yield from (side.split() for side in line.split("|") if not line.startswith("["))


def _contrasting(languages: set[str] | None) -> Iterator[tuple[str, list[list[str]]]]:
    for name in _files("antonyms", languages):
        kind = ""
        for line in _lines(name):
            if line.startswith("["):
                kind = line.strip("[]")
            else:
                yield kind, [side.split() for side in line.split("|")]


def _files(table: str, languages: set[str] | None) -> list[str]:
    names = sorted(entry.name for entry in _folder().iterdir() if entry.name.startswith(f"{table}_"))
    return [name for name in names if languages is None or name[len(table) + 1 : -4] in languages]


def rows_of(name: str) -> Iterator[tuple[str, str]]:
    """The `head: words` rows of a table."""
    for line in _lines(name):
        head, _, rest = line.partition(": ")
        yield head, rest


def _lines(name: str) -> list[str]:
    lines = (_folder() / name).read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _folder() -> Traversable:
    return files("holdfast.metrics") / "facts" / "data"
