"""Compares names: different names, or spellings of the same one."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import lru_cache

from rapidfuzz.distance import OSA

from holdfast.language.lexicon_tables import acronyms, known_names
from holdfast.language.spelling import frequency
from holdfast.language.stems import stem
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.countries import country_of
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, replaced

_LETTERS = 5
"""One letter in this many may be misspelt."""

_COMMON = 4.0
"""Zipf frequency from which a word that opens a sentence is taken for a common word."""

_KNOWN = 2.0
"""Zipf frequency from which a word is a known name."""


def name_findings(pair: Compared) -> Iterator[Finding]:
    """Yield the names that stand in place of others, and those that are spelled differently."""
    ours, theirs, found = pair.ours, pair.theirs, pair.found
    if not found.lost or not found.gained:
        return
    named = pair.before.names | pair.after.names
    lost = _among(_names(ours, named), found.lost, ours.language)
    gained = _among(_names(theirs, named), found.gained, theirs.language)
    mine, its = {*lost - gained}, {*gained - lost}  # stems of the same name in two languages may differ
    if pair.moved > 1:
        mine = {name for name in mine if stem(name, ours.language) in pair.lost}
        its = {name for name in its if stem(name, theirs.language) in pair.gained}
    if (mine or its) and len(found.lost) == len(found.gained) == 1:
        mine, its = mine or _items(ours, found.lost), its or _items(theirs, found.gained)
    for name in sorted(mine):
        close = next((other for other in sorted(its) if is_misspelt(name, other, pair.language)), None)
        if close is None or name in pair.after.words or close in pair.before.words:
            continue  # one answer uses both, so they are two names
        yield Finding(
            "spelling",
            OSA.distance(name, close) / max(len(name), len(close)),
            f"name {_form(ours, name)} -> {_form(theirs, close)} (spelling)",
            (_form(ours, name),),
            (_form(theirs, close),),
        )
        mine.discard(name)
        its.discard(close)
    if not (mine and its):
        mine, its = _first_words(pair)
    pairs = [(one, other) for one in sorted(mine) for other in sorted(its) if _replaces(pair, one, other)]
    if pairs:
        before, after = sorted({one for one, _ in pairs}), sorted({other for _, other in pairs})
        yield replaced("name", 1.0, [_form(ours, name) for name in before], [_form(theirs, name) for name in after])


def _first_words(pair: Compared) -> tuple[set[str], set[str]]:
    """Return the first words of both groups if they replace each other and may be names: capitalised, rare and bare
    of endings."""
    firsts = []
    for facts, keys in ((pair.ours, pair.lost), (pair.theirs, pair.gained)):
        key = facts.order[0].key if facts.order else ""
        form = facts.forms.get(key, "")
        may_be = key in keys and facts.text.startswith(form) and form.istitle() and key == form.lower()
        firsts.append({key} if may_be and frequency(key, facts.language) < _COMMON else set())
    return (firsts[0], firsts[1]) if all(firsts) else (set(), set())


def _replaces(pair: Compared, one: str, other: str) -> bool:
    """Return whether two names are in the same place, and both or none names a country; one that was read as the words
    that it stands for may be anywhere."""
    keys = stem(one, pair.ours.language), stem(other, pair.theirs.language)
    if bool(country_of(one, pair.ours.language)) != bool(country_of(other, pair.theirs.language)):
        return False
    return keys[0] not in pair.ours.keys or keys[1] not in pair.theirs.keys or pair.stand_alike(*keys)


@lru_cache(maxsize=1 << 16)
def is_misspelt(name: str, other: str, language: str) -> bool:
    """Return whether one of two names may be a misspelling of the other: at most one edit per five letters, and not two
    known names (Sita, Gita)."""
    allowed = min(len(name), len(other)) // _LETTERS
    if not allowed or OSA.distance(name, other, score_cutoff=allowed) > allowed:
        return False
    known = known_names(language)
    return not all(one in known or frequency(one, language) >= _KNOWN for one in (name, other))


def _items(facts: Facts, keys: Set[str]) -> set[str]:
    """Return the words that begin a list item with a capital; one that replaces a name is a name."""
    forms = [facts.forms.get(key, key) for key in keys]
    return {form.lower() for form in forms if form[0].isupper() and f"\n{form}" in facts.text}


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
