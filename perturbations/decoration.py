"""Decoration: what chat puts around words without changing them."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import count_tokens, whole
from holdfast.perturbations.types import Edit, Edits

_WORD_END = re.compile(r"(?<=\S)(?=\s|\Z)")


@perturbation("emoji", family="decoration", light=0.05, heavy=0.25, units=count_tokens)
def emoji(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Put emoji after words, each behind a space of its own.

    >>> emoji("who painted the Mona Lisa?", 0.2, Random(1)).text
    'who 🎉 painted the Mona Lisa?'
    """
    count = edit_count(strength, count_tokens(text))
    seen = masked(text, protect)
    ends = [match.start() for match in _WORD_END.finditer(seen)]
    ends = [end for end in ends if not (seen[end - 1] == "\0" and seen[end : end + 1] == "\0")]
    places = whole(text, [(end, end) for end in ends])
    return Edits(
        text, tuple(Edit(at, "", f" {rng.choice(_emoji())}") for at, _ in choose(places, count, rng))
    )


@cache
def _emoji() -> list[str]:
    return [line.strip() for line in read_lines("emoji.txt")]
