"""The order of events and causes in a statement: first A and then B; B, because A."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from holdfast.metrics.facts.reading.fact_types import Facts, Sequel, Term

_ALIKE, _OTHER = 0.6, 0.4
"""Shares of common keys from which two parts count as the same, and up to which they count as different."""

_LEAST = 2
"""Parts with fewer keys are not compared."""

_LONGEST, _MOST = 40, 4
"""Statements with more terms or more turns are not split."""


class Turn(NamedTuple):
    """A word that puts two parts of a statement in order: then, so, after, because.

    Attributes:
        at: Index of the term that follows the word.
        later: Whether the part after the word comes later or is the effect (then, so), not the cause (after, because).
        opens: Whether the word may open a statement, which then splits at the next comma (after, because).
    """

    at: int
    later: bool
    opens: bool


def sequels(order: Sequence[Term], turns: Sequence[Turn], commas: Sequence[int]) -> Iterator[Sequel]:
    """Split a statement at each turn into what comes first and what follows.

    Args:
        order: The terms of the statement.
        turns: The turns in it.
        commas: Indices of the terms that follow a comma.
    """
    if len(order) > _LONGEST or len(turns) > _MOST:
        return
    for turn in turns:
        at, later = turn.at, turn.later
        doubled = sum(abs(other.at - at) <= 1 for other in turns) > 1
        if doubled or not (at or turn.opens):
            continue  # "both before and after", or an opening "Therefore, ..."
        if not at:
            at, later = next((comma for comma in commas if comma), 0), not later
        ahead, behind = _keys(order[:at]), _keys(order[at:])
        if len(ahead) >= _LEAST and len(behind) >= _LEAST:
            yield Sequel(ahead, behind) if later else Sequel(behind, ahead)


def reversed_sequel(ours: Facts, theirs: Facts) -> Sequel | None:
    """Return a sequel of the clean side that is in reverse order on the perturbed side, or None."""
    for mine in ours.sequels:
        for its in theirs.sequels:
            crossed = min(_shared(mine.first, its.then), _shared(mine.then, its.first))
            if crossed >= _ALIKE and min(_shared(mine.first, its.first), _shared(mine.then, its.then)) <= _OTHER:
                return mine
    return None


def _keys(terms: Sequence[Term]) -> frozenset[str]:
    """Return the keys of the terms, without relations."""
    return frozenset(term.key for term in terms if term.kind != "relation")


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the shorter part's keys that both parts have."""
    return len(one & other) / min(len(one), len(other))
