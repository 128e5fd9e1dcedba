"""Who does what to whom: arguments that changed places around what binds them."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.metrics.facts.types import Facts, Term

_LONGEST = 40
"""Longer rows of terms are not searched: who does what is a matter of a sentence."""


def swapped_roles(ours: Facts, theirs: Facts) -> tuple[str, str] | None:
    """Two terms that changed places around a third, or exchanged their prepositions; None where none did.

    A passive on one side alone turns the order round, and so a swap into the same ("was called by").
    """
    if len(ours.order) > _LONGEST or len(theirs.order) > _LONGEST:
        return None
    return _around(ours, theirs) or _marked(ours, theirs)


def _around(ours: Facts, theirs: Facts) -> tuple[str, str] | None:
    first, second = _unique(ours.order), _unique(theirs.order)
    if len(first) < 3 or len(second) < 3:
        return None
    common = [key for key in first if key in second]
    strict = ours.keys == theirs.keys and ours.numbers == theirs.numbers
    turned = ours.passive ^ theirs.passive
    for i, one in enumerate(common):
        for other in common[i + 2 :]:
            kinds = {_kind(first, second, key) for key in (one, other)}
            if "relation" in kinds or len(kinds) > 1 or not (kinds == {"name"} or strict):
                continue
            reversed_ = second[one][0] > second[other][0]
            between = [key for key in common if _binds(key, one, other, first) and _binds(key, one, other, second)]
            if between and reversed_ != any(key in turned for key in between):
                return one, other
    return None


def _kind(first: dict[str, tuple[int, Term]], second: dict[str, tuple[int, Term]], key: str) -> str:
    """A term is a name where either side writes it as one: a first word may not look like it."""
    kinds = {first[key][1].kind, second[key][1].kind}
    return "name" if "name" in kinds else min(kinds)


def _binds(key: str, one: str, other: str, places: dict[str, tuple[int, Term]]) -> bool:
    """Whether a term stands between two others and is no list's member."""
    low, high = sorted((places[one][0], places[other][0]))
    at, term = places[key]
    return low < at < high and term.kind == "word" and not term.listed


def _marked(ours: Facts, theirs: Facts) -> tuple[str, str] | None:
    """Terms that exchanged the small words that mark their roles: from Paris to Rome; राम ने श्याम को."""
    before, after = (
        ({**_markers(facts, -1)} for facts in (ours, theirs)),
        ({**_markers(facts, 1)} for facts in (ours, theirs)),
    )
    for mine, its in (tuple(before), tuple(after)):
        for one in mine.keys() & its.keys():
            for other in mine.keys() & its.keys():
                if one < other and mine[one] != mine[other] and mine[one] == its[other] and mine[other] == its[one]:
                    return one, other
    return None


def _markers(facts: Facts, step: int) -> dict[str, str]:
    """Each term and the relation that stands before it (English) or behind it (Hindi)."""
    order = facts.order
    found = {}
    for at, term in enumerate(order):
        beside = at + step
        if term.kind != "relation" and 0 <= beside < len(order) and order[beside].kind == "relation":
            devanagari_or_after = order[beside].key in _AFTER
            if devanagari_or_after == (step == 1):
                found[term.key] = order[beside].key
    return found


_AFTER = frozenset("ने को से का की के में पर ne ko se ka ki ke mein par".split())


def _unique(order: Sequence[Term]) -> dict[str, tuple[int, Term]]:
    """Terms that stand once, and where."""
    found: dict[str, tuple[int, Term]] = {}
    twice = set()
    for at, term in enumerate(order):
        if term.key in found:
            twice.add(term.key)
        found[term.key] = at, term
    return {key: place for key, place in found.items() if key not in twice}
