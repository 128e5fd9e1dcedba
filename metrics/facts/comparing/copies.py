"""Compares text that must be copied exactly (addresses, paths, commands, code), and emoji."""

from __future__ import annotations

from holdfast.metrics.facts.comparing.difference import Difference
from holdfast.metrics.facts.reading.fact_types import NO_CONFLICT, Conflict, Facts, Literal
from holdfast.metrics.facts.reading.literals import emoji_groups, opposed_emoji, strip_operator_spaces

_ONE_SIDED = {"code": 0.9, "address": 0.36}
"""The cost of a literal that only one side has: a flag changes a command, but an address may be omitted."""

_OPPOSED, _OTHER = 0.9, 0.5
"""The costs of emoji with opposite meanings, and of emoji with merely different ones."""


def literal_conflict(ours: Facts, theirs: Facts, found: Difference, before: str, after: str) -> Conflict:
    """Return the conflict of addresses, paths, commands and code.

    A literal is not missing if the other answer has it without its delimiters.

    Args:
        ours: The facts of the clean segments.
        theirs: The facts of the perturbed segments.
        found: The difference in their words.
        before: The text of the whole clean answer.
        after: The text of the whole perturbed answer.
    """
    mine, its = _missing(ours, theirs, after), _missing(theirs, ours, before)
    for kind in ("code", "address"):
        lost, gained = ([one.form for one in side if one.kind == kind] for side in (mine, its))
        if lost and gained:
            return Conflict(1.0, f"{kind} {_shorten(lost)} -> {_shorten(gained)}")
        if lost or gained:
            cost = _ONE_SIDED[kind] * max(found.shared, 0.5)
            return Conflict(cost, f"{kind} {_shorten(lost or gained)} {'lost' if lost else 'added'}")
    return NO_CONFLICT


def emoji_conflict(ours: Facts, theirs: Facts) -> Conflict:
    """Return the conflict of emoji that replace others; emoji that are merely added or omitted are decoration."""
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
    known = {strip_operator_spaces(one.key) for one in others.literals}
    left = {one.key: one for one in facts.literals if strip_operator_spaces(one.key) not in known}
    return [one for one in left.values() if strip_operator_spaces(one.key) not in strip_operator_spaces(answer)]


def _shorten(forms: list[str]) -> str:
    text = " ".join(" ".join(forms).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
