"""Reads the lexicons and the settings of each language, once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from holdfast.language.language_files import language_files
from holdfast.language.word_tables import read_lines, rows_of, sides_of

ALWAYS = ("en", "hi")
"""Languages whose rows apply to every text without a language file; Hinglish rows apply to Hinglish texts only."""

THESAURUS = ("synonyms_en.txt", "synonyms_hi.txt", "synonyms_hi-Latn.txt")
ANTONYMS = ("antonyms_en.txt", "antonyms_hi-Latn.txt", "antonyms_hi.txt")

LEVELS = {"none": 0.0, "few": 1.0, "some": 2.0, "many": 2.7, "most": 3.0, "all": 4.0}
"""How much a quantifier covers; levels at least one apart differ in meaning."""

PARTICLES = frozenset("up down on off in out back away over".split())
"""Particles that can follow the object of a verb: turn it down."""

ALSO_PREPOSITIONS = frozenset("on in over".split())
"""Particles that, before a noun, are mostly prepositions: put it in the box."""


def lexicon_language(language: str) -> str:
    """Return the language whose synonyms and antonyms apply to a text.

    A language with its own file uses that; all others use "en", which covers English, Hindi and Hinglish.
    """
    return language if language in language_files() else "en"


@dataclass(frozen=True, slots=True)
class Grammar:
    """Settings of a language file; see `holdfast.language.language_files`."""

    decimal: str = "."
    endings: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    elided: frozenset[str] = frozenset()
    joiner: str = ""
    capitalised_nouns: bool = False
    concord: bool = False
    cases: tuple[tuple[str, str], ...] = ()
    participles: tuple[str, ...] = ("",)
    unspaced: bool = False


@cache
def grammar(language: str) -> Grammar:
    """Return the settings of a language; English ones if it has no language file."""
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
        cases=tuple((one, other) for one, _, other in (pair.partition("/") for pair in own.setting("cases").split())),
        participles=tuple(own.setting("participles").split()) or ("",),
        unspaced=own.setting("unspaced") == "yes",
    )


@cache
def abbreviations() -> dict[str, tuple[str, ...]]:
    """Return abbreviations with the words they stand for.

    Abbreviations recognised only in capitals are in capitals.
    """
    rows = (row.split("=") for _, row in rows_of("abbreviations.txt") if "=" in row)
    return {short.strip(): tuple(words.split()) for short, words in rows}


@cache
def abbreviation_kinds() -> dict[str, str]:
    """Return lower-case abbreviations with what their full stop means: never, numbered or maybe the end of a sentence.

    >>> abbreviation_kinds()["dr"], abbreviation_kinds()["inc"], abbreviation_kinds()["sept"]
    ('never', 'maybe', 'never')
    """
    dates = (forms.split() for head, forms in rows_of("calendar.txt") if head.startswith(("month", "weekday")))
    found = {form: "never" for name, *forms in dates for form in _shortened(name, forms)}
    for kind, row in rows_of("abbreviations.txt"):
        if kind != "other":
            found.update(dict.fromkeys(row.partition(" =")[0].split(), kind))
    return found


def _shortened(name: str, forms: Iterable[str]) -> list[str]:
    """Return the forms that are the beginning of a name: jan, sept, mon."""
    bare = [form.rstrip("!") for form in forms]
    return [form for form in bare if len(form) < len(name) and name.startswith(form)]


@cache
def acronyms() -> dict[str, tuple[str, ...]]:
    """Return abbreviations written in capitals, lower-cased, with the words they stand for."""
    return {short.lower(): words for short, words in abbreviations().items() if short != short.lower()}


@cache
def known_names(language: str = "en") -> frozenset[str]:
    """Return known given names and places in lower case."""
    own = language_files().get(language)
    lines = (*read_lines("names.txt"), *(own.lines("names") if own else ()))
    return frozenset(word for line in lines for word in line.lower().split())


@cache
def known_words(language: str) -> frozenset[str]:
    """Return every word in a language's file, used to segment texts without spaces."""
    rows = [words for table in ("words", "units", "calendar") for _, words in own_rows(table, language)]
    rows += [" ".join(group) for group in (*synonym_groups(language), *conflict_sides(language))]
    own = language_files().get(language)
    return frozenset(word for row in (*rows, *(own.lines("names") if own else ())) for word in row.lower().split())


def rows_in(table: str, language: str, *, everything: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the `head: words` rows of a table that apply to a language, in lower case.

    Args:
        table: Name of the table, such as "words" or "numbers".
        language: Language code.
        everything: Whether to include the rows of all languages in the shared lexicon.

    Yields:
        The head (without its language; "" for phrases) and the words of each row.
    """
    if own := language_files().get(language):
        rows = (("", line) for line in own.lines(table)) if table == "phrases" else own.rows(table)
        yield from ((head.lower(), words.lower()) for head, words in rows)
        return
    for head, words in rows_of(f"{table}.txt"):
        owner, _, rest = head.partition(" ")
        if everything or owner in {*ALWAYS, language}:
            yield rest, words


def own_rows(table: str, language: str) -> list[tuple[str, str]]:
    """Return the rows of a table in a language's own file; empty if it has none."""
    return [*rows_in(table, language)] if language in language_files() else []


@cache
def words_with(language: str, job: str) -> frozenset[str]:
    """Return the words of a language that do a given job."""
    return frozenset(word for its, words in rows_in("words", language) if its == job for word in words.split())


def synonym_groups(language: str) -> Iterator[list[str]]:
    """Yield groups of interchangeable words: those of its file, or of the thesaurus of English, Hindi and Hinglish."""
    if own := language_files().get(language):
        yield from (line.lower().split() for line in own.lines("synonyms"))
        return
    for line in (line for name in THESAURUS for line in read_lines(name)):
        part, _, entry = line.partition(":")
        if part != "never":
            yield [word.strip().partition("/")[0] for word in re.split("[=>,]", entry)]


def conflict_sides(language: str) -> Iterator[list[str]]:
    """Yield the words on each side of every conflict."""
    yield from (side for _, sides in conflicts(language) for side in sides)


def conflicts(language: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the kind of each conflict ("antonym", "comparison", "converse") and the words on each of its sides."""
    if own := language_files().get(language):
        for kind in ("converse", "comparison", "antonym"):
            yield from ((kind, [side.lower().split() for side in line.split("|")]) for line in own.lines(kind))
        return
    for name in ANTONYMS:
        yield from sides_of(name)
