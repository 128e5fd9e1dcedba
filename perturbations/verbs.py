"""The forms of common English verbs, looked up from any of them."""

from functools import cache

from holdfast.perturbations.inflection import forms
from holdfast.perturbations.tables import read_lines

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
