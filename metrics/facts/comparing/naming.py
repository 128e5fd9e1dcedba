"""Compares names: different names, or misspellings of the same one."""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import lru_cache

from holdfast.language.lexicon_tables import acronyms, known_names, lexicon_language
from holdfast.language.meanings import are_related
from holdfast.language.spelling import frequency, slip_distance
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.answer import Answer
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts

_SPELLING, _SLIP = 0.3, 0.15
"""The costs of a misspelt name: if both spellings are known names, and otherwise."""

_KNOWN = 2.0
"""Zipf frequency from which a word is a known name."""


def name_conflict(
    ours: Facts,
    theirs: Facts,
    before: Answer,
    after: Answer,
    found: Difference,
    lost: Set[str],
    gained: Set[str],
    moved: int,
) -> Conflict:
    """Return the conflict of names that differ.

    Args:
        ours: The facts of the clean segments.
        theirs: The facts of the perturbed segments.
        before: The whole clean answer.
        after: The whole perturbed answer.
        found: The difference in the words of the segments.
        lost: The stems of `found.lost` that are nowhere in the perturbed answer.
        gained: The stems of `found.gained` that are nowhere in the clean answer.
        moved: How many stems only moved to other segments.
    """
    if not found.lost or not found.gained:
        return NO_CONFLICT
    named = before.names | after.names
    language = ours.language
    mine = set(_among(_names(ours, named), found.lost, language))
    its = set(_among(_names(theirs, named), found.gained, language))
    if moved > 1:
        mine = {name for name in mine if stem(name, language) in lost}
        its = {name for name in its if stem(name, language) in gained}
    if (mine or its) and len(found.lost) == len(found.gained) == 1:
        mine, its = mine or _items(ours, found.lost), its or _items(theirs, found.gained)
    if not mine or not its:
        return NO_CONFLICT
    for name in sorted(mine):
        close = next((other for other in sorted(its) if _is_slip(name, other, language)), None)
        if close is None or name in after.words or close in before.words:
            continue  # one answer uses both, so they are two names
        distance = slip_distance(name, close)
        if distance and len(mine) == len(its) == 1:
            known = min(frequency(name, language), frequency(close, language)) >= _KNOWN
            reason = f"name {_form(ours, name)} -> {_form(theirs, close)} (edit distance {distance}: spelling)"
            return Conflict(_SPELLING if known else _SLIP, reason)
        mine.discard(name)
        its.discard(close)
    if not mine or not its:
        return NO_CONFLICT
    return Conflict(1.0, f"name {_listed(ours, mine)} -> {_listed(theirs, its)}")


def _items(facts: Facts, keys: Set[str]) -> set[str]:
    """Return the words that begin a list item with a capital; one that replaces a name is a name."""
    forms = [facts.forms.get(key, key) for key in keys]
    return {form.lower() for form in forms if form[0].isupper() and f"\n{form}" in facts.text}


@lru_cache(maxsize=1 << 16)
def _is_slip(name: str, other: str, language: str) -> bool:
    """Return whether two names may be the same one: related words, or a few letters apart.

    Two known names with different initials are not (Sita, Gita).
    """
    if name[0] != other[0] and {name, other} <= known_names(language):
        return False
    return are_related(stem(name, language), stem(other, language), lexicon_language(language)) or bool(
        slip_distance(name, other)
    )


@lru_cache(maxsize=1 << 16)
def _among(names: frozenset[str], keys: frozenset[str], language: str) -> frozenset[str]:
    """Return the names whose stem, or a word of whose full form, is among the keys."""
    return frozenset(name for name in names if stem(name, language) in keys or _stands_for(name, keys, language))


def _stands_for(name: str, keys: Set[str], language: str) -> bool:
    """Return whether a word of the full form of an acronym is among the keys."""
    return any(stem(word, language) in keys for word in acronyms().get(name, ()))


def _names(facts: Facts, named: Set[str]) -> frozenset[str]:
    """Return the names of a segment, including words that are names elsewhere in the answers."""
    written = facts.words & named
    return facts.names if written <= facts.names else facts.names | written


def _form(facts: Facts, name: str) -> str:
    return facts.forms.get(stem(name, facts.language), name)


def _listed(facts: Facts, names: Iterable[str]) -> str:
    return ", ".join(sorted(_form(facts, name) for name in names))
