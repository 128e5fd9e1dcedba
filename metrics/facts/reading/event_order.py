"""What comes before what, or of what: first A and then B; B, because A."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from holdfast.metrics.facts.reading.fact_types import Facts, Sequel, Term

_ALIKE, _OTHER = 0.6, 0.4
"""From this share of common keys on two parts say the same, and up to that one they don't."""

_LEAST = 2
"""Parts of fewer keys are not compared."""

_LONGEST, _MOST = 40, 4
"""Longer rows of terms, and those with more turns, are not parted."""


class Turn(NamedTuple):
    """A word between two parts of a statement, by the place of the term that follows it, and whether that comes later,
    or of what stands before: then, so; not: after, because."""

    at: int
    later: bool
    opens: bool
    """Whether it may open a statement, and part it at a comma: after, because."""


def sequels(order: Sequence[Term], turns: Sequence[Turn], commas: Sequence[int]) -> Iterator[Sequel]:
    """The parts on either side of each turn; one that opens the statement parts it at the next comma."""
    if len(order) > _LONGEST or len(turns) > _MOST:
        return
    for turn in turns:
        at, later = turn.at, turn.later
        doubled = sum(abs(other.at - at) <= 1 for other in turns) > 1
        if doubled or not (at or turn.opens):
            continue  # both before and after; therefore, ...
        if not at:
            at, later = next((comma for comma in commas if comma), 0), not later
        ahead, behind = _keys(order[:at]), _keys(order[at:])
        if len(ahead) >= _LEAST and len(behind) >= _LEAST:
            yield Sequel(ahead, behind) if later else Sequel(behind, ahead)


def turned_sequel(ours: Facts, theirs: Facts) -> Sequel | None:
    """What comes first on the clean side, and later on the perturbed; None where nothing does."""
    for mine in ours.sequels:
        for its in theirs.sequels:
            crossed = min(_shared(mine.first, its.then), _shared(mine.then, its.first))
            if crossed >= _ALIKE and min(_shared(mine.first, its.first), _shared(mine.then, its.then)) <= _OTHER:
                return mine
    return None


def _keys(terms: Sequence[Term]) -> frozenset[str]:
    """What a part is about."""
    return frozenset(term.key for term in terms if term.kind != "relation")


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the shorter part's keys that both have."""
    return len(one & other) / min(len(one), len(other))
