"""The grammatical properties of a word that don't depend on its context."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from holdfast.language.lexicon_tables import LEVELS, abbreviations, lexicon_language
from holdfast.language.meanings import contrasting_stems, phrase_starts, tables
from holdfast.language.stems import stem
from holdfast.metrics.facts.reading.fact_types import CASES

TITLE_WORDS = frozenset(
    "doctor professor sir madam miss president chancellor senator minister king queen prince princess saint".split()
)
"""Titles that are also common words; they are titles only before a name."""
TITLES = TITLE_WORDS | frozenset("mr mrs ms dr prof mister madame st श्री डॉ shri shrimati ji जी".split())
"""Words before a name that are not part of it."""

_ACTIVE = frozenset({"not", "only", "one", "filler", "before", "after", "conjunction"}) | CASES
"""Jobs that always affect how a segment is read."""

PREPOSITION = frozenset({"place", "before", "after"})
"""The jobs of prepositions."""

_LINK = "link_"

_MODAL_JOBS = frozenset({"free", "must", "will", "should", "probably", "may", "maybe"})
"""The jobs of words that express certainty or obligation."""


class Word(NamedTuple):
    """The properties of a word.

    Attributes:
        key: Its stem.
        jobs: Its jobs in a statement (see `data/words.txt`).
        content: Whether it is a content word.
        marker: Whether it is a function word that excludes others: before, up.
        level: What share it covers if it is a quantifier (all, most, some, ...), else None.
        modal: The jobs that express certainty or obligation.
        links: Its senses as a preposition or conjunction: source, goal, if, ...
        inert: Whether it has no effect on the facts of a segment: the, of.
        simple: Whether it only adds a term: a content word that does nothing else.
        plain: Whether it is neither an abbreviation nor a title nor a contraction.
        opens_phrase: Whether it may begin a phrase that means the same as a single word.
    """

    key: str
    jobs: frozenset[str]
    content: bool
    marker: bool
    level: float | None
    modal: frozenset[str]
    links: frozenset[str]
    inert: bool
    simple: bool
    plain: bool
    opens_phrase: bool


@lru_cache(maxsize=1 << 16)
def word_of(lower: str, language: str) -> Word:
    """Return the properties of a lower-case word in a language."""
    jobs = tables(language).jobs.get(lower, frozenset())
    key = stem(lower, language)
    level = next((LEVELS[name] for name in LEVELS if name in jobs), None)
    content = not jobs & {"small", "not", "filler"} and level is None and any(map(str.isalnum, lower))
    marker = key in contrasting_stems(lexicon_language(language)) and not content
    modal = jobs & _MODAL_JOBS
    links = frozenset(job.removeprefix(_LINK) for job in jobs if job.startswith(_LINK))
    inert = not (content or links or marker or modal or level is not None or jobs & _ACTIVE)
    simple = content and not jobs
    plain = "'" not in lower and lower[-1] != "." and lower not in abbreviations() and lower not in TITLES
    return Word(key, jobs, content, marker, level, modal, links, inert, simple, plain, key in phrase_starts(language))
