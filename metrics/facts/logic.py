"""Whether two segments affirm the same: negations, opposites, quantifiers."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.metrics.facts.difference import Difference, Opposite, shared_family
from holdfast.metrics.facts.meanings import denying_stems
from holdfast.metrics.facts.roles import turned_round
from holdfast.metrics.facts.spelling import negative_form
from holdfast.metrics.facts.stems import stem
from holdfast.metrics.facts.tables import family
from holdfast.metrics.facts.terms import beside
from holdfast.metrics.facts.types import NO_CONFLICT, Conflict, Facts

_REWORDED = 0.34
"""Up to this share of reworded stems a contradiction is sure: the segments are the same but for it."""

_SURE = 0.5
"""From this share of common words on, a negation or an opposite bears on the same thing."""

_ELSEWHERE = 0.4
"""The cost of an opposite that stands among other words than the one that it excludes."""

_NAMED = {"converse": "antonym"}
"""The kinds of opposites that a reason calls by another name."""


def polarity_conflict(ours: Facts, theirs: Facts, found: Difference, swapped: bool) -> Conflict:
    """A negation that only one side has, or an opposite; both together say the same ("not safe", "dangerous").

    `swapped` says that the arguments changed places, too, which undoes an opposite: "A is taller than B", "B is shorter
    than A".
    """
    flips = [flip for flip in found.opposites if not _turned_round(ours, theirs, found, flip)]
    odd = (ours.negations - theirs.negations) % 2 == 1
    more, fewer = (ours, theirs) if ours.negations > theirs.negations else (theirs, ours)
    if odd and any(one in more.reach or other in more.reach for one, other, _ in flips):
        return NO_CONFLICT
    if flips:
        return NO_CONFLICT if swapped and len(flips) == 1 else _opposite(ours, theirs, found, flips)
    if odd:
        if _balances(found.gained if more is ours else found.lost, fewer):
            return NO_CONFLICT
        heads = more.negated & fewer.keys
        cost = 1.0 if found.reworded <= _REWORDED or (heads and found.shared >= _SURE) else 0.6
        return Conflict(cost, f"negation {'lost' if more is ours else 'added'}")
    language = shared_family(ours, theirs)
    denied, denying = denials(found.lost, language), denials(found.gained, language)
    if bool(denied) != bool(denying) and not (found.gained if denied else found.lost):
        return Conflict(
            0.9, f"negation {'lost' if denied else 'added'} ({_form(ours if denied else theirs, denied or denying)})"
        )
    if ours.negations == theirs.negations == 1:
        mine, its = ours.negated - theirs.negated, theirs.negated - ours.negated
        if mine & _stems(theirs) and its & _stems(ours) and found.shared >= 0.8:
            return Conflict(0.9, f"negation of {_form(ours, mine)} -> {_form(theirs, its)}")
    return NO_CONFLICT


def _turned_round(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Whether an opposite says the same as its roles are turned round, too: A sold it to B, B bought it from A."""
    one, other, kind = flip
    return kind == "converse" and turned_round(ours, theirs, one, other, dict(found.alike))


def _opposite(ours: Facts, theirs: Facts, found: Difference, flips: Sequence[Opposite]) -> Conflict:
    """The first opposite that stands beside the same; one that doesn't is hardly meant as such: stays, another go."""
    placed = [flip for flip in flips if _in_place(ours, theirs, found, flip)]
    one, other, kind = (placed or flips)[0]
    sure = _ELSEWHERE if not placed else 1.0 if found.reworded <= _REWORDED else 0.6
    return Conflict(sure, f"{_NAMED.get(kind, kind)} {ours.forms.get(one, one)} -> {theirs.forms.get(other, other)}")


def _in_place(ours: Facts, theirs: Facts, found: Difference, flip: Opposite) -> bool:
    """Whether an opposite stands beside a word that the other stands beside, too, or one of them alone."""
    alike = dict(found.alike)
    mine, its = beside(ours.order, flip[0]), beside(theirs.order, flip[1])
    return not (mine and its) or bool(mine & {alike.get(key, key) for key in its})


def quantifier_conflict(ours: Facts, theirs: Facts, found: Difference) -> Conflict:
    """Quantifiers a step apart (all, most, some, few, none), or one that only one side has."""
    mine, its = sorted(ours.levels), sorted(theirs.levels)
    if [level for level, _ in mine] == [level for level, _ in its]:
        return NO_CONFLICT
    left = [one for one in mine if not _takes(its, one[0])]
    its = sorted(theirs.levels)
    for level, _ in mine:
        _takes(its, level)
    if left and its:
        step = abs(left[0][0] - its[0][0])
        if step >= 0.9:
            return Conflict(1.0 if found.reworded <= _REWORDED else 0.6, f"quantifier {left[0][1]} -> {its[0][1]}")
        return NO_CONFLICT
    level, word = (left or its)[0]
    if level == 2.0 and any(one.loose for one in (*ours.quantities, *theirs.quantities)):
        return NO_CONFLICT  # a few days, a couple of days
    cost = 0.0 if level in (2.7, 0.0) or word == "one_of" else 0.15 if level == 4.0 else 0.4
    how = "lost" if left else "added"
    return Conflict(cost * found.shared, f"quantifier {word} {how}") if cost else NO_CONFLICT


def _stems(facts: Facts) -> frozenset[str]:
    return frozenset(stem(word, facts.language) for word in facts.words)


def denials(keys: frozenset[str], language: str) -> frozenset[str]:
    """The stems among these that say no by themselves: fail, refuse, lack."""
    return keys & denying_stems(language)


def _balances(keys: frozenset[str], facts: Facts) -> bool:
    """Whether one of these may stand for a "not" and a word that it denies: lack, deprecated, unaware."""
    return bool(denials(keys, family(facts.language))) or any(
        negative_form(facts.forms.get(key, key).lower()) for key in keys
    )


def _takes(levels: list[tuple[float, str]], level: float) -> bool:
    """Take a quantifier of about this level out of a list, if there is one."""
    for one in levels:
        if abs(one[0] - level) < 0.5:
            levels.remove(one)
            return True
    return False


def _form(facts: Facts, keys: frozenset[str]) -> str:
    return ", ".join(sorted(facts.forms.get(key, key) for key in keys))
