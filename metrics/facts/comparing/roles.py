"""Compares roles (who does what to whom) by finding arguments that swapped places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, pairwise, product
from typing import NamedTuple

from holdfast.language.lexicon_tables import grammar, words_with
from holdfast.language.meanings import contrasts
from holdfast.metrics.facts.comparing.cases import exchanged_cases, is_order_free
from holdfast.metrics.facts.comparing.difference import Difference, shared_family
from holdfast.metrics.facts.reading.fact_types import Facts, Term

BINDERS = frozenset("than before after over against".split())
"""Function words that relate what is before them to what is after them."""

_LONGEST = 40
"""Segments with more terms are not searched, since roles are assigned within a sentence."""


class _Place(NamedTuple):
    """A term and its index in the order of terms."""

    at: int
    term: Term


_Meeting = tuple[_Place, _Place]
"""The places of two terms that may have swapped."""


def swapped_roles(ours: Facts, theirs: Facts, found: Difference) -> tuple[str, str] | None:
    """Return two terms that swapped places around a third, or None.

    A passive on only one side reverses the order, so there an unchanged order is a swap ("was called by").
    """
    if len(ours.order) > _LONGEST or len(theirs.order) > _LONGEST:
        return None
    if ours.cases or grammar(ours.language).cases:
        return exchanged_cases(ours, theirs, found) or _around(ours, theirs, found)
    return _around(ours, theirs, found)


def has_reversed_roles(ours: Facts, theirs: Facts, one: str, other: str, alike: Mapping[str, str]) -> bool:
    """Return whether the agent of a verb is not the agent of its converse on the other side, but present there.

    For example: A sold it to B, B bought it from A.

    Args:
        ours: The facts of the clean segments.
        theirs: The facts of the perturbed segments.
        one: The verb on the clean side.
        other: Its converse on the perturbed side.
        alike: Maps perturbed stems to clean stems with the same meaning.
    """
    mine, suffers = _agents(ours, one, {})
    its, undergoes = _agents(theirs, other, alike)
    here, there = (mine - its) & undergoes, (its - mine) & suffers
    return bool(here and there) or (bool(here or there) and not mine & its)


def _agents(facts: Facts, verb: str, alike: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the terms before a verb or, in a passive, after "by", and all other terms."""
    keys = [alike.get(term.key, term.key) for term in facts.order]
    at = next((at for at, term in enumerate(facts.order) if term.key == verb), 0)
    agents = set(keys[:at])
    if verb in facts.passive:
        by = words_with(facts.language, "agent")
        agents = {key for key, term in zip(keys, facts.order, strict=True) if term.mark in by}
    return agents, {*keys} - agents


def _around(ours: Facts, theirs: Facts, found: Difference) -> tuple[str, str] | None:
    """Return two terms in reverse order around a term that relates them, or None.

    If other words differ as well, only names count.
    """
    alike = dict(found.alike)
    if _is_in_order(ours, theirs, alike):
        return None
    first, second = _places(ours.order, {}), _places(theirs.order, alike)
    common = [key for key in first if key in second]
    if len(common) < 3:
        return None
    strict = _differ_in_nothing_else(ours, theirs, found)
    language = shared_family(ours, theirs)
    against, by = contrasts(language), words_with(language, "agent")
    kinds = {key: _kind(first[key], second[key]) for key in common}
    named = {key for key, kind in kinds.items() if kind == "name"}
    movable = sorted(key for key, kind in kinds.items() if kind != "relation") if strict else sorted(named)
    for one, other in combinations(movable, 2):
        both_named = one in named and other in named
        if not both_named and kinds[one] != kinds[other]:
            continue
        meetings = _meetings(ours, first[one], first[other]), _meetings(theirs, second[one], second[other])
        for mine, its in zip(*meetings, strict=False):
            if not _is_reversed(mine, its) and not any(place.term.mark in by for place in (*mine, *its)):
                continue
            rest = [second[key][0].at for key in common if key not in (one, other)]
            if not both_named and any(before > after for before, after in pairwise(rest)):
                continue  # the whole segment is reordered
            between = [
                key
                for key in common
                if any(
                    _binds(*here, mine) and _binds(*there, its)
                    for here, there in zip(first[key], second[key], strict=False)
                )
                or (_pair(first[key], mine, against) and _pair(second[key], its, against))
            ]
            if _have_swapped(ours, theirs, alike, mine, its, between):
                return one, other
    return None


def _is_in_order(ours: Facts, theirs: Facts, alike: Mapping[str, str]) -> bool:
    """Return whether the common terms are in one order on both sides and no verb is passive on one side only."""
    here, there = [term.key for term in ours.order], [alike.get(term.key, term.key) for term in theirs.order]
    common = {*here}.intersection(there)
    if [key for key in here if key in common] != [key for key in there if key in common]:
        return False
    if ours.passive != {alike.get(key, key) for key in theirs.passive}:
        return False
    sides = ((side.order, words_with(side.language, "agent")) for side in (ours, theirs))
    return not any(term.mark in by for order, by in sides for term in order)


def _is_reversed(mine: _Meeting, its: _Meeting) -> bool:
    """Return whether two terms are in another order."""
    return (mine[0].at < mine[1].at) != (its[0].at < its[1].at)


def _have_swapped(
    ours: Facts, theirs: Facts, alike: Mapping[str, str], mine: _Meeting, its: _Meeting, between: Collection[str]
) -> bool:
    """Return whether two terms that are reversed, or of which one is an agent, swapped roles, given the terms between
    them that relate them on both sides."""
    words = all(place.term.kind == "word" for place in (*mine, *its))
    if words and (_has_comma_after_first(ours, mine) or _has_comma_after_first(theirs, its)):
        return False  # a clause that moved: "To restart, press ..."
    if any(_kept_preposition(here.term, there.term) for here, there in zip(mine, its, strict=True)):
        return False
    keys = [place.term.key for place in mine]
    if (ours.cases or grammar(ours.language).cases) and is_order_free(ours, theirs, *keys):
        return False
    turned = ours.passive ^ {alike.get(key, key) for key in theirs.passive}
    reversed_ = _is_reversed(mine, its)
    if not between or reversed_ == any(key in turned for key in between):
        return False
    return not (reversed_ and words and not turned.isdisjoint(keys))  # a passive verb, whose place differs


def _differ_in_nothing_else(ours: Facts, theirs: Facts, found: Difference) -> bool:
    return not (found.lost or found.gained) and ours.numbers == theirs.numbers


def _kind(here: Sequence[_Place], there: Sequence[_Place]) -> str:
    """Return the kind of a term; it is a name if either side writes it as one, since a first word is ambiguous."""
    kinds = {here[0].term.kind, there[0].term.kind}
    return "name" if "name" in kinds else min(kinds)


def _meetings(facts: Facts, one: Sequence[_Place], other: Sequence[_Place]) -> list[_Meeting]:
    """Return the places of two terms: their first ones, and all other pairs without a comma between them."""
    first, *others = product(one, other)
    return [first, *(meeting for meeting in others if not _has_comma_between(facts, meeting))]


def _has_comma_between(facts: Facts, meeting: _Meeting) -> bool:
    low, high = sorted(place.at for place in meeting)
    return any(term.listed for term in facts.order[low:high])


def _binds(at: int, term: Term, meeting: _Meeting) -> bool:
    """Return whether a term is between two others, relates them, and is not a member of a list."""
    low, high = sorted(place.at for place in meeting)
    return low < at < high and (term.kind == "word" or term.key in BINDERS) and not term.listed


def _has_comma_after_first(facts: Facts, meeting: _Meeting) -> bool:
    """Return whether a comma directly follows the first of two terms."""
    at = min(place.at for place in meeting)
    return facts.order[at].listed and facts.order[at + 1].listed


def _kept_preposition(here: Term, there: Term) -> bool:
    """Return whether a term moved with its preposition, and so kept its role: on failure."""
    return bool(here.mark) and here.mark == there.mark


def _pair(places: Sequence[_Place], meeting: _Meeting, excluding: Mapping[tuple[str, str], str]) -> bool:
    """Return whether a name between two terms belongs to the second: Anna in Lyon and Ben in Nice; Anna 20 and Ben
    30."""
    (start, first), (end, last) = meeting
    at, term = places[0]
    if not min(start, end) < at < max(start, end) or term.kind == "relation":
        return False
    if (first.key, last.key) in excluding:
        return True
    if term.kind != "name":
        return False
    return first.kind == last.kind == "number" or (bool(first.mark) and first.mark == last.mark != term.mark)


def _places(order: Sequence[Term], alike: Mapping[str, str]) -> dict[str, list[_Place]]:
    """Map the keys of terms to their places; a term in `alike` is filed under the key it maps to."""
    found: dict[str, list[_Place]] = {}
    for at, term in enumerate(order):
        found.setdefault(alike.get(term.key, term.key), []).append(_Place(at, term))
    return found
