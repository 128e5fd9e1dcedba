"""The forms of common English verbs, looked up from any of them."""

from functools import cache

from holdfast.language.inflection import forms
from holdfast.language.word_tables import read_lines

SLOTS = ("base", "third", "ing", "past", "participle")


@cache
def verb_forms() -> dict[str, dict[str, str]]:
    """For each of `SLOTS`, its forms with their bases; a form that two verbs share is left out.

    >>> verb_forms()["past"]["rose"], verb_forms()["third"]["flies"], verb_forms()["participle"]["written"]
    ('rise', 'fly', 'write')
    """
    table: dict[str, dict[str, str]] = {slot: {} for slot in SLOTS}
    shared = set()
    for verb in " ".join(read_lines("verbs_en.txt")).split():
        base, *_ = own = forms("verb", verb)
        for slot, form in zip(SLOTS, own, strict=True):
            if form and base and table[slot].setdefault(form, base) != base:
                shared.add((slot, form))
    for slot, form in shared:
        del table[slot][form]
    return table


@cache
def _forms_by_base() -> dict[str, tuple[str | None, ...]]:
    verbs = " ".join(read_lines("verbs_en.txt")).split()
    return {verb.split("/")[0]: forms("verb", verb) for verb in verbs}


def verb_form(base: str, slot: str) -> str:
    """A form of the verb `base`; "" for verbs that are not listed.

    >>> verb_form("make", "past"), verb_form("try", "third"), verb_form("frobnicate", "past")
    ('made', 'tries', '')
    """
    known = _forms_by_base().get(base)
    return (known[SLOTS.index(slot)] or "") if known else ""
