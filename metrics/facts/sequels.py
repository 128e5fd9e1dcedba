"""What comes before what, or of what: first A and then B; B, because A."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from holdfast.metrics.facts.types import Facts, Sequel, Term

_ALIKE, _OTHER = 0.6, 0.4
"""From this share of common keys on two parts say the same, and up to that one they don't."""

_LEAST = 2
"""Parts of fewer keys are not compared."""


class Turn(NamedTuple):
    """A word between two parts of a statement, by the place of the term that follows it, and whether that comes later,
    or of what stands before: then, so; not: after, because."""

    at: int
    later: bool


def sequels(order: Sequence[Term], turns: Sequence[Turn], commas: Sequence[int]) -> Iterator[Sequel]:
    """The parts on either side of each turn; one that opens the statement parts it at the next comma."""
    for turn in turns:
        at, later = turn.at, turn.later
        if not turn.at:
            at, later = next((comma for comma in commas if comma), 0), not later
        before, behind = _keys(order[:at]), _keys(order[at:])
        if len(before) >= _LEAST and len(behind) >= _LEAST:
            yield Sequel(before, behind) if later else Sequel(behind, before)


def turned_sequel(ours: Facts, theirs: Facts) -> Sequel | None:
    """What comes first on the clean side, and later on the perturbed; None where nothing does."""
    for mine in ours.sequels:
        for its in theirs.sequels:
            crossed = min(_shared(mine.first, its.then), _shared(mine.then, its.first))
            if crossed >= _ALIKE and min(_shared(mine.first, its.first), _shared(mine.then, its.then)) <= _OTHER:
                return mine
    return None


def _keys(terms: Sequence[Term]) -> frozenset[str]:
    return frozenset(term.key for term in terms if term.kind != "relation")


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other))
