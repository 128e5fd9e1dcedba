"""Compares what bounds a number: at least, up to, more than, nearly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from holdfast.language.word_tables import rows_of
from holdfast.metrics.facts.comparing.compared import Compared
from holdfast.metrics.facts.comparing.logic import is_odd
from holdfast.metrics.facts.comparing.places import kept_share
from holdfast.metrics.facts.reading.fact_types import Facts, Finding, replaced
from holdfast.metrics.facts.reading.quantity import Quantity
from holdfast.metrics.facts.reading.weighed_words import count_words

_MEANT = {"least": ">=", "most": "<=", "above": ">", "below": "<", "exactly": "="}
"""The values that each kind of bound leaves, relative to the number: below, equal, above."""


def bound_findings(pair: Compared) -> Iterator[Finding]:
    """Compare the bounds of the numbers that both sides have; two conflict if no value is within both.

    Opposites and negations may make up for another bound: nobody under 18, only from 18. And so may other words: below
    50 it shrinks, above 50 it grows.
    """
    if pair.found.opposites or is_odd(pair.ours, pair.theirs):
        return
    mine, its = _bounds(pair.ours), _bounds(pair.theirs)
    for key in sorted(mine.keys() & its.keys()):
        (bound, form), (other, its_form) = mine[key], its[key]
        if {*_MEANT[bound]}.isdisjoint(_MEANT[other]):
            words = max(map(count_words, (form, its_form)))
            yield replaced("quantifier", kept_share(pair.ours, pair.theirs, words) ** 4, [form], [its_form])


@lru_cache(maxsize=1 << 14)
def _bounds(facts: Facts) -> dict[str, tuple[str, str]]:
    """Map each bounded number to the kind of its bound and to both as written: "above", "more than 50"."""
    text = facts.text.lower().replace("’", "'")
    found = ((one.key, _bound(one, text, facts.language)) for one in facts.quantities if one.kind == "number")
    return {key: bound for key, bound in found if bound}


def _bound(number: Quantity, text: str, language: str) -> tuple[str, str] | None:
    form = number.form.lower()
    before, found, after = text.partition(form)
    if not found:
        return None
    for kind, (ahead, behind) in _patterns(language).items():
        if (match := ahead.search(before)) or (match := behind.match(after)):
            return kind, f"{match[0]}{form}" if match.string is before else f"{form}{match[0]}"
    return None


@cache
def _patterns(language: str) -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """Return, for each kind of bound, the pattern at the end of what precedes a number, and at the start of what
    follows; those that contain others come first: no more than, more than."""
    kinds = [(head.split()[1], forms.split()) for head, forms in rows_of("bounds.txt") if head.split()[0] == language]
    found = {}
    for kind, forms in kinds:
        ahead = "|".join(re.escape(form).replace("_", " ") for form in forms if not form.startswith("*"))
        behind = "|".join(re.escape(form[2:]).replace("_", " ") for form in forms if form.startswith("*_")) or "(?!)"
        found[kind] = re.compile(rf"\b(?:{ahead})(?: |(?<='))(?:an? )?$"), re.compile(rf"(?: \w+)? (?:{behind})\b")
    return found
