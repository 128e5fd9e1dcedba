"""What a word does, wherever it stands."""

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
"""Titles that are words, too: they are titles before a name."""
TITLES = TITLE_WORDS | frozenset("mr mrs ms dr prof mister madame st श्री डॉ shri shrimati ji जी".split())
"""What stands before a name and is no part of it."""

TURNS = frozenset({"later", "earlier"})
"""The jobs of words between what comes first and what follows it."""

_ACTIVE = frozenset({"not", "only", "one", "filler", "before", "after", "conjunction"}) | CASES | TURNS
"""Jobs that leave a trace wherever they stand."""

_MODAL_JOBS = frozenset({"free", "must", "will", "should", "probably", "may", "maybe"})
"""The jobs of words that say how binding or how sure a statement is."""


class Word(NamedTuple):
    """What a word does, wherever it stands."""

    key: str
    jobs: frozenset[str]
    content: bool
    marker: bool
    level: float | None
    modal: frozenset[str]
    inert: bool
    """Whether it does nothing at all: the, of."""
    plain: bool
    """Whether it is just a word in lower case: no short form, no title, no contraction."""
    opens_phrase: bool


@lru_cache(maxsize=1 << 16)
def word_of(lower: str, language: str) -> Word:
    """The key, jobs and quantity of a lower-case word in a language."""
    jobs = tables(language).jobs.get(lower, frozenset())
    key = stem(lower, language)
    level = next((LEVELS[name] for name in LEVELS if name in jobs), None)
    content = not jobs & {"small", "not", "filler"} and level is None and any(map(str.isalnum, lower))
    marker = key in contrasting_stems(lexicon_language(language)) and not content
    modal = jobs & _MODAL_JOBS
    inert = not (content or marker or modal or level is not None or jobs & _ACTIVE)
    plain = "'" not in lower and lower[-1] != "." and lower not in abbreviations() and lower not in TITLES
    return Word(key, jobs, content, marker, level, modal, inert, plain, key in phrase_starts(language))
