"""Which terms of a segment belong together or are neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from holdfast.metrics.facts.reading.fact_types import Term


def last_phrase(order: Sequence[Term]) -> list[str]:
    """Return the last word of a row and the words that it is attached to by prepositions, last first.

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


def neighbours(order: Sequence[Term], key: str, form: str) -> tuple[set[str], set[str]]:
    """Return the keys right before and right after each occurrence of a term.

    Args:
        order: The terms of a segment.
        key: The key of the term.
        form: The term as written, if it may be a relation, such as "before"; all other relations are skipped.
    """
    keys = [key if term.key == form else term.key for term in order if term.kind != "relation" or term.key == form]
    found = [(one, after) for one, after in pairwise(keys) if key in (one, after)]
    return {one for one, after in found if after == key}, {after for one, after in found if one == key}
