"""Unicode noise: the same to the eye, another character to the tokenizer."""

from collections.abc import Sequence
from functools import cache
from random import Random
from unicodedata import category, name

from holdfast.perturbations.choose import choose_where, edit_count
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import cluster_starts, count_characters
from holdfast.perturbations.types import Edit, Edits


@perturbation("confusables", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def confusables(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace letters by look-alikes of other scripts (Latin a by Cyrillic а).

    >>> changed = confusables("open the archive", 0.1, Random(1))
    >>> changed.text, [f"U+{ord(edit.inserted):04X}" for edit in changed.edits]
    ('opеn the archιve', ['U+0435', 'U+1FBE'])
    """
    starts, seen, table = cluster_starts(text), masked(text, protect), _look_alikes()
    size = len(starts) - 1

    def has_look_alikes(place: int) -> bool:
        return seen[starts[place] : starts[place + 1]] in table

    chosen = [starts[place] for place in choose_where(size, edit_count(strength, size), rng, has_look_alikes)]
    return Edits(text, tuple([Edit(at, text[at], rng.choice(table[text[at]])) for at in chosen]))


_TOLD_APART = frozenset("ӏϱҽռզϒ")  # in the table, yet easily seen for what they are
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


@cache
def _look_alikes() -> dict[str, list[str]]:
    """Each letter of `_SCRIPTS` with the letters of the others that Unicode's table calls confusable with it.

    Only letters for single letters of the same case, so that the shape is the same and the cluster stays one.
    """
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, list[str]] = {}
    for letter, others in confusables_data.items():
        script, cased = _script(letter), category(letter) if len(letter) == 1 else ""
        if script:
            alike = [other["c"] for other in others if _script(other["c"]) not in ("", script)]
            table[letter] = sorted(other for other in alike if category(other) == cased and other not in _TOLD_APART)
    return {letter: alike for letter, alike in table.items() if alike}


def _script(letter: str) -> str:
    """Which of `_SCRIPTS` a single upper or lower case letter belongs to, by its Unicode name; "" for all else."""
    if len(letter) != 1 or category(letter) not in ("Lu", "Ll"):
        return ""
    first = name(letter, "").split(" ")[0]
    return first if first in _SCRIPTS else ""
