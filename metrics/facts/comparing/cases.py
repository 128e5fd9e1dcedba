"""Swapped roles in languages that mark who does what by case: der Hund, den Hund; Ольга, Ольгу."""

from __future__ import annotations

from functools import lru_cache

from holdfast.language.lexicon_tables import grammar
from holdfast.language.meanings import tables
from holdfast.language.spelling import frequency
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import Facts


def exchanged_cases(ours: Facts, theirs: Facts, found: Difference) -> tuple[str, str] | None:
    """Return two nouns that swapped agent and patient roles, judging by their cases, or None.

    Articles mark the case reliably, so one changed noun is enough. If only endings do, two must change, in opposite
    ways.
    """
    if found.lost or found.gained or _is_passive(ours) != _is_passive(theirs):
        return None
    shared = (term.key for term in ours.order if term.kind != "relation" and term.key in theirs.keys)
    common = list(dict.fromkeys(shared))
    changed = [key for key in common if _acts(ours, key) is not _acts(theirs, key)]
    changed = [key for key in changed if None not in (_acts(ours, key), _acts(theirs, key))]
    for one in changed:
        for other in changed:
            if _acts(ours, one) is not _acts(ours, other):
                return one, other
    nouns = [key for key in common if ours.forms.get(key, "")[:1].isupper()]
    if not changed or not ours.cases:
        return None
    another = next((key for key in nouns if key != changed[0]), None)
    return None if another is None else (changed[0], another)


def is_order_free(ours: Facts, theirs: Facts, one: str, other: str) -> bool:
    """Return whether two nouns may swap places because one of them has a known case, the same on both sides."""
    sides = [(_acts(ours, key), _acts(theirs, key)) for key in (one, other)]
    return any(mine is its is not None and (ours.cases or not mine) for mine, its in sides)


def _acts(facts: Facts, key: str) -> bool | None:
    """Return whether a noun is in the case of the agent; None if its case is unknown."""
    if endings := grammar(facts.language).cases:
        return not _by_ending(facts.forms.get(key, key).lower(), facts.language, endings)
    case = facts.cases.get(key)
    return None if case is None else case == "nominative"


@lru_cache(maxsize=1 << 14)
def _by_ending(form: str, language: str, endings: tuple[tuple[str, str], ...]) -> bool:
    """Return whether a word has a patient's ending; it does if its form with the agent's ending is more common."""
    return any(
        form.endswith(suffers) and frequency(form.removesuffix(suffers) + acts, language) > frequency(form, language)
        for acts, suffers in endings
    )


def _is_passive(facts: Facts) -> bool:
    jobs = tables(facts.language).jobs
    return any("passive" in jobs.get(word, ()) for word in facts.words)
