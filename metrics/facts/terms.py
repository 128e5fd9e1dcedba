"""Terms in a row: which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from holdfast.metrics.facts.types import Term


def last_phrase(order: Sequence[Term]) -> list[str]:
    """The last word of a row, and those that it hangs on by prepositions, last first.

    >>> row = [Term("duke", "word"), Term("accus", "word"), Term("of", "relation"), Term("treason", "word")]
    >>> last_phrase(row)
    ['treason', 'accus']
    """
    found = []
    bound = True
    for term in reversed(order):
        if term.kind == "relation":
            bound = True
        elif bound:
            found.append(term.key)
            bound = False
        else:
            break
    return found


def beside(order: Sequence[Term], key: str) -> set[str]:
    """What stands before and behind a term, prepositions left out; empty where it stands alone or not in the row."""
    keys = [term.key for term in order if term.kind != "relation"]
    return {other for pair in pairwise(keys) if key in pair for other in pair} - {key}
