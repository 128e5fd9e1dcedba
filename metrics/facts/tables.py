"""The tables of a language: what its words do, what they exclude, what they may stand for; read once, from `data`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations

from holdfast.metrics.language_files import language_files

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
    long_numbers: dict[str, list[tuple[tuple[str, ...], float]]] = field(default_factory=dict)
    """Numbers of several words by their first: the words that follow, longest first, and the value."""
    more: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    """What adds to the number before it: and a half."""


@cache
def tables(language: str) -> Tables:
    """The tables of a language that has a file (`holdfast.metrics.language_files`); for all others those of English and
    Hindi, and of Hinglish where a text is in it."""
    from holdfast.metrics.facts.stems import stem

    jobs: dict[str, set[str]] = {}
    for job, words in _rows("words", language):
        for word in words.split():
            jobs.setdefault(word, set()).add(job)
    found = Tables({word: frozenset(its) for word, its in jobs.items()})
    meanings = {}
    for _, row in _rows("phrases", language):
        phrase, _, word = row.partition("=")
        meanings[tuple(phrase.split())] = word.strip().strip("-")
    for word in (word for group in (*_groups(language), *_sides(language)) for word in group):
        if "_" in word.strip("_") and (parts := tuple(word.split("_"))) and word not in jobs:
            meanings.setdefault(parts, word)
    for (first, *rest), word in sorted(meanings.items(), key=lambda item: -len(item[0])):
        found.phrases.setdefault((stem(first, language), rest[0]), []).append(Phrase(tuple(rest), word))
        if rest[0] in PARTICLES:
            found.verbs.add(stem(first, language))
    for head, words in _rows("numbers", language):
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


def family(language: str) -> str:
    """The language whose synonyms and opposites hold in a text: its own where it has a file, else "en", which stands
    for English, Hindi and Hinglish together."""
    return language if language in language_files() else "en"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a language's file sets (`holdfast.metrics.language_files`)."""

    decimal: str = "."
    endings: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    elided: frozenset[str] = frozenset()
    joiner: str = ""
    capitalised_nouns: bool = False
    concord: bool = False
    unspaced: bool = False


@cache
def grammar(language: str) -> Grammar:
    """The settings of a language; those of English for one without a file."""
    own = language_files().get(language)
    if own is None:
        return Grammar()
    return Grammar(
        decimal=own.setting("decimal") or ".",
        endings=tuple(sorted(own.setting("endings").split(), key=len, reverse=True)),
        prefixes=tuple(sorted(own.setting("prefixes").split(), key=len, reverse=True)),
        elided=frozenset(own.setting("elided").split()),
        joiner=own.setting("joiner"),
        capitalised_nouns=own.setting("capitals") == "nouns",
        concord=own.setting("concord") == "yes",
        unspaced=own.setting("unspaced") == "yes",
    )


@cache
def synonyms(language: str) -> dict[str, frozenset[int]]:
    """The groups that a stem belongs to; two stems that share one may stand for each other."""
    from holdfast.metrics.facts.stems import stem

    found: dict[str, set[int]] = {}
    for number, group in enumerate([*_groups(language), *_sides(language)]):
        for word in group:
            found.setdefault(stem(word, language), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def contrasts(language: str) -> dict[tuple[str, str], str]:
    """Pairs of stems that exclude each other, either way round, and the kind of their conflict."""
    from holdfast.metrics.facts.stems import stem

    found: dict[tuple[str, str], str] = {}
    for kind, sides in _contrasting(language):
        for one, other in combinations(sides, 2):
            for pair in ((stem(a, language), stem(b, language)) for a in one for b in other):
                if pair[0] != pair[1]:
                    found.setdefault(pair, kind)
                    found.setdefault(pair[::-1], kind)
    return found


@cache
def contrasted(language: str) -> frozenset[str]:
    """The stems that exclude some other."""
    return frozenset(one for one, _ in contrasts(language))


@cache
def denying_stems(language: str) -> frozenset[str]:
    """The stems of verbs and adjectives that say no."""
    from holdfast.metrics.facts.stems import stem

    rows = (words.split() for job, words in _rows("words", language, everything=True) if job == "soft_not")
    return frozenset(stem(word, language) for words in rows for word in words)


@cache
def graded() -> dict[str, str]:
    """Comparatives and superlatives of the adjectives that compare: `higher` and `highest` -> `high`."""
    found: dict[str, str] = {}
    for kind, sides in _listed("antonyms_en.txt"):
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
def known_names(language: str = "en") -> frozenset[str]:
    """Given names and places, lower case."""
    own = language_files().get(language)
    lines = (*_lines("names.txt"), *(own.lines("names") if own else ()))
    return frozenset(word for line in lines for word in line.lower().split())


@cache
def known_words(language: str) -> frozenset[str]:
    """Every word that a language's file has, which is how words are found where no spaces set them apart."""
    rows = [words for table in ("words", "units", "calendar") for _, words in own_rows(table, language)]
    rows += [" ".join(group) for group in (*_groups(language), *_sides(language))]
    own = language_files().get(language)
    return frozenset(word for row in (*rows, *(own.lines("names") if own else ())) for word in row.lower().split())


def _rows(table: str, language: str, *, everything: bool = False) -> Iterator[tuple[str, str]]:
    """The `head: words` rows of a table that hold in a language, lower case; phrases have no head."""
    if own := language_files().get(language):
        rows = (("", line) for line in own.lines(table)) if table == "phrases" else own.rows(table)
        yield from ((head.lower(), words.lower()) for head, words in rows)
        return
    for head, words in rows_of(f"{table}.txt"):
        owner, _, rest = head.partition(" ")
        if everything or owner in {*ALWAYS, language}:
            yield rest, words


def own_rows(table: str, language: str) -> list[tuple[str, str]]:
    """The rows of a table in a language's own file; none where it has none."""
    return [*_rows(table, language)] if language in language_files() else []


def _groups(language: str) -> Iterator[list[str]]:
    own = language_files().get(language)
    lines = own.lines("synonyms") if own else [line for name in _files("synonyms") for line in _lines(name)]
    yield from (line.lower().split() for line in lines)


def _sides(language: str) -> Iterator[list[str]]:
    yield from (side for _, sides in _contrasting(language) for side in sides)


def _contrasting(language: str) -> Iterator[tuple[str, list[list[str]]]]:
    """The kind of a conflict and the words of each side."""
    if own := language_files().get(language):
        for kind in ("comparison", "antonym"):
            yield from ((kind, [side.lower().split() for side in line.split("|")]) for line in own.lines(kind))
        return
    for name in _files("antonyms"):
        yield from _listed(name)


def _listed(name: str) -> Iterator[tuple[str, list[list[str]]]]:
    kind = ""
    for line in _lines(name):
        if line.startswith("["):
            kind = line.strip("[]")
        else:
            yield kind, [side.split() for side in line.split("|")]


def _files(table: str) -> list[str]:
    return sorted(entry.name for entry in _folder().iterdir() if entry.name.startswith(f"{table}_"))


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
