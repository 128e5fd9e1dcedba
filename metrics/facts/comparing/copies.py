"""Compares text that must be copied exactly (addresses, paths, commands, code), and emoji."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, Literal, one_sided, replaced
from holdfast.metrics.facts.reading.literals import emoji_groups, opposed_emoji, strip_operator_spaces


def literal_findings(pair: Compared) -> Iterator[Finding]:
    """Compare addresses, paths, commands and code.

    A literal is not missing if the other answer has it without its delimiters.
    """
    ours, theirs = pair.ours, pair.theirs
    if not (ours.literals or theirs.literals):
        return
    mine, its = _missing(ours, theirs, pair.after.text), _missing(theirs, ours, pair.before.text)
    for kind in ("code", "address"):
        lost, gained = ([_shorten(one.form) for one in side if one.kind == kind] for side in (mine, its))
        if lost and gained:
            yield replaced("symbol", 1.0, lost, gained, kind)
        elif lost or gained:
            yield one_sided("symbol alone", 1.0, lost, gained, kind)


def emoji_findings(pair: Compared) -> Iterator[Finding]:
    """Compare emoji that say the opposite of others, and flags; all others are decoration."""
    ours, theirs = pair.ours, pair.theirs
    here, there = {one.key for one in ours.emoji}, {one.key for one in theirs.emoji}
    mine, its = ([one for one in side.emoji if one.key not in both] for side, both in ((ours, there), (theirs, here)))
    if not mine or not its:
        return
    groups = emoji_groups()
    said, heard = ({groups.get(one.key, one.key) for one in side} for side in (mine, its))
    if said & heard:
        return
    opposed = any(frozenset((one, other)) in opposed_emoji() for one in said for other in heard)
    if opposed or all(map(_is_flag, (*said, *heard))):
        yield replaced("symbol", 1.0, ["".join(one.form for one in mine)], ["".join(one.form for one in its)], "emoji")


def _is_flag(emoji: str) -> bool:
    return len(emoji) == 2 and all("\U0001f1e6" <= letter <= "\U0001f1ff" for letter in emoji)


def _missing(facts: Facts, others: Facts, answer: str) -> list[Literal]:
    known = {strip_operator_spaces(one.key) for one in others.literals}
    left = {one.key: one for one in facts.literals if strip_operator_spaces(one.key) not in known}
    return [one for one in left.values() if strip_operator_spaces(one.key) not in strip_operator_spaces(answer)]


def _shorten(form: str) -> str:
    text = " ".join(form.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
