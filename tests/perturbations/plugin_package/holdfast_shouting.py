"""A Holdfast perturbation that writes words in capitals, as if shouting."""

from collections.abc import Sequence
from random import Random

from holdfast.language.text import count_words
from holdfast.perturbations import Edit, Edits, perturbation
from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.protected import free_words


@perturbation("shouting", family="characters", light=0.1, heavy=0.5, units=count_words)
def shouting(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Write words in capitals.

    >>> shouting("tell me now", 1.0, Random(0)).text
    'TELL ME NOW'
    """
    total, words = free_words(text, protect)
    quiet = [(start, end) for start, end in words if text[start:end] != text[start:end].upper()]
    chosen = choose(quiet, edit_count(strength, total), rng)
    return Edits(text, tuple(Edit(start, text[start:end], text[start:end].upper()) for start, end in chosen))
