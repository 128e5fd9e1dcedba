"""Compares prepositions and conjunctions: to Oslo, from Oslo; because it rained, although it rained; soup or salad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Facts, Finding
from holdfast.metrics.facts.reading.word_roles import word_of

Place = tuple[str, str]
"""The keys of two successive content words."""

_JOINING, _EXCLUDING = frozenset({"and", "or"}), frozenset({"instead", "except"})
_CLAUSES = frozenset({"because", "despite", "if", "while", "before", "after"}) | _JOINING | _EXCLUDING
"""Senses of what joins clauses; all others are those of prepositions alone."""
_ANY = "any"
"""The sense of a relative pronoun: in which."""


def linking_findings(pair: Compared) -> Iterator[Finding]:
    """Yield words between the same two content words on both sides that share no sense as prepositions or conjunctions.

    Opposites make up for it: sold to Anna, bought from Anna.
    """
    if pair.found.opposites:
        return
    mine, its = _links(pair.ours, {}), _links(pair.theirs, dict(pair.found.alike))
    for place, one in mine.items():
        other = its.get(place)
        if other is None or not _exclude(one.senses, other.senses):
            continue
        if one.is_gerund != other.is_gerund:
            continue  # failed to open, was prevented from opening
        if _is_elsewhere(place, one, its) or _is_elsewhere(place, other, mine):
            continue  # before noon he swam and after noon he slept, the other way round
        if not _is_undone(pair, place, one.senses | other.senses):
            words = f"{one.text} {one.form}", f"{other.text} {other.form}"
            yield Finding("roles", 1.0, f"relation {words[0]} -> {words[1]}", (one.form,), (other.form,))


def _is_elsewhere(place: Place, link: _Link, others: Mapping[Place, _Link]) -> bool:
    """Return whether the word of a place has such a link after another word."""
    return any(key == place[1] and link.senses & other.senses for (_, key), other in others.items())


def _is_undone(pair: Compared, place: Place, senses: Set[str]) -> bool:
    """Return whether a negation or a passive makes up for other links: no meat or fish, no meat and no fish; given by
    Anna, Anna gave."""
    if "or" in senses and not (pair.ours.reach | pair.theirs.reach).isdisjoint(place):
        return True
    turned = pair.ours.passive ^ pair.theirs.passive
    return "agent" in senses and any(pair.ours.forms.get(key) != pair.theirs.forms.get(key) for key in turned)


def _exclude(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two sets of senses exclude each other: those of prepositions, or those of what joins clauses, of
    which "and" and "or" exclude only each other, "instead of" and "except"."""
    if one & other or _ANY in one | other:
        return False
    joining, others = sorted((one, other), key=_JOINING.isdisjoint)
    if joining & _JOINING:
        return bool(others & (_JOINING | _EXCLUDING))
    return bool(one & _CLAUSES and other & _CLAUSES) or bool(one - _CLAUSES and other - _CLAUSES)


class _Link(NamedTuple):
    """Prepositions or conjunctions and the content word after them.

    Attributes:
        text: The prepositions or conjunctions.
        senses: What they may mean.
        form: The content word as written.
        is_gerund: Whether that is an English form in -ing.
    """

    text: str
    senses: frozenset[str]
    form: str
    is_gerund: bool


def _links(facts: Facts, alike: Mapping[str, str]) -> dict[Place, _Link]:
    """Map the keys of two successive content words to what links them, unless they follow each other more than once; a
    key in `alike` is the one that it maps to. Two numbers are a range or a list: from 2 to 3, between 2 and 3."""
    found: dict[Place, _Link] = {}
    several: set[Place] = set()
    before, kind = "", ""
    for term in facts.order:
        form = facts.forms.get(term.key, term.key)
        if (term.key not in facts.keys and term.kind != "number") or word_of(form.lower(), facts.language).links:
            continue
        key = alike.get(term.key, term.key)
        if term.links and not kind == term.kind == "number":
            senses = frozenset().union(*(word_of(word, facts.language).links for word in term.links))
            gerund = facts.language == "en" and term.kind == "word" and form.endswith("ing")
            if (before, key) in found:
                several.add((before, key))
            found[before, key] = _Link(" ".join(term.links), senses, form, gerund)
        before, kind = key, term.kind
    return {place: link for place, link in found.items() if place not in several}
