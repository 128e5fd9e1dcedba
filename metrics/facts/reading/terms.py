"""Terms in a row: which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from holdfast.metrics.facts.reading.fact_types import Term


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


def beside(order: Sequence[Term], key: str, form: str) -> tuple[set[str], set[str]]:
    """What stands right before and right behind a term, prepositions left out unless one is its form; nothing where it
    is not in the row."""
    keys = [key if term.key == form else term.key for term in order if term.kind != "relation" or term.key == form]
    found = [(one, after) for one, after in pairwise(keys) if key in (one, after)]
    return {one for one, after in found if after == key}, {after for one, after in found if one == key}
