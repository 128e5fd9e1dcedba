"""Where two segments differ in what must be copied letter by letter, or in what their emoji say."""

from __future__ import annotations

from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts, Literal
from holdfast.metrics.facts.reading.literals import emoji_groups, opposed_emoji, squeezed

_ONE_SIDED = {"code": 0.9, "address": 0.36}
"""The cost of what only one side has: a flag changes a command, an address may be left out."""

_OPPOSED, _OTHER = 0.9, 0.5
"""Costs of emoji that contradict each other, and of others that say different things."""


def literal_conflict(ours: Facts, theirs: Facts, found: Difference, before: str, after: str) -> Conflict:
    """Addresses, paths, commands and code that stand in one answer (`before`) and not in the other (`after`).

    Code counts as there where the other answer has it without its marks.
    """
    mine, its = _missing(ours, theirs, after), _missing(theirs, ours, before)
    for kind in ("code", "address"):
        lost, gained = ([one.form for one in side if one.kind == kind] for side in (mine, its))
        if lost and gained:
            return Conflict(1.0, f"{kind} {_shown(lost)} -> {_shown(gained)}")
        if lost or gained:
            cost = _ONE_SIDED[kind] * max(found.shared, 0.5)
            return Conflict(cost, f"{kind} {_shown(lost or gained)} {'lost' if lost else 'added'}")
    return NO_CONFLICT


def emoji_conflict(ours: Facts, theirs: Facts) -> Conflict:
    """Emoji that stand for others on the other side; one that only decorates, added or left out, is none."""
    here, there = {one.key for one in ours.emoji}, {one.key for one in theirs.emoji}
    mine, its = ([one for one in side.emoji if one.key not in both] for side, both in ((ours, there), (theirs, here)))
    if not mine or not its:
        return NO_CONFLICT
    groups = emoji_groups()
    said, heard = ({groups.get(one.key, one.key) for one in side} for side in (mine, its))
    if said & heard:
        return NO_CONFLICT
    opposed = any(frozenset((one, other)) in opposed_emoji() for one in said for other in heard)
    reason = f"emoji {''.join(one.form for one in mine)} -> {''.join(one.form for one in its)}"
    return Conflict(_OPPOSED if opposed else _OTHER, reason)


def _missing(facts: Facts, others: Facts, answer: str) -> list[Literal]:
    known = {squeezed(one.key) for one in others.literals}
    left = {one.key: one for one in facts.literals if squeezed(one.key) not in known}
    return [one for one in left.values() if squeezed(one.key) not in squeezed(answer)]


def _shown(forms: list[str]) -> str:
    text = " ".join(" ".join(forms).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
