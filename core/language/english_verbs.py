"""Conjugation tables of common English verbs, and the contractions of auxiliaries with "not"."""

from functools import cache

from holdfast.language.inflection import forms
from holdfast.language.word_tables import read_lines

_CONTRACTED = {"can": "can't", "will": "won't", "shall": "shan't"}
_FULL = {short: full for full, short in _CONTRACTED.items()}
"""The contractions with "not" that change the auxiliary, either way."""

SLOTS = ("base", "third", "ing", "past", "participle")


@cache
def verb_forms() -> dict[str, dict[str, str]]:
    """Return, for each of `SLOTS`, the verb forms with their base forms; forms shared by two verbs are left out.

    >>> verb_forms()["past"]["rose"], verb_forms()["third"]["flies"], verb_forms()["participle"]["written"]
    ('rise', 'fly', 'write')
    """
    table: dict[str, dict[str, str]] = {slot: {} for slot in SLOTS}
    shared = set()
    for base, own in verbs().items():
        for slot, form in zip(SLOTS, own, strict=True):
            if form and table[slot].setdefault(form, base) != base:
                shared.add((slot, form))
    for slot, form in shared:
        del table[slot][form]
    return table


@cache
def verbs() -> dict[str, tuple[str | None, ...]]:
    """Return the common verbs, each with its forms in the order of `SLOTS`."""
    return {base: forms("verb", base) for line in read_lines("verbs_en.txt") for base in line.split()}


def verb_form(base: str, slot: str) -> str:
    """Return a form of the verb `base`, or "" if the verb is not listed.

    >>> verb_form("make", "past"), verb_form("try", "third"), verb_form("frobnicate", "past")
    ('made', 'tries', '')
    """
    known = verbs().get(base)
    return (known[SLOTS.index(slot)] or "") if known else ""


def contracted_not(auxiliary: str) -> str:
    """Return the contraction of an auxiliary with "not".

    >>> contracted_not("is"), contracted_not("will")
    ("isn't", "won't")
    """
    return _CONTRACTED.get(auxiliary, f"{auxiliary}n't")


def auxiliary_of(contraction: str) -> str:
    """Return the auxiliary that a contraction in "n't" negates; "" if it is only "n't", as in tokenised text.

    >>> auxiliary_of("isn't"), auxiliary_of("won't"), auxiliary_of("n't")
    ('is', 'will', '')
    """
    return _FULL.get(contraction, contraction.removesuffix("n't"))
