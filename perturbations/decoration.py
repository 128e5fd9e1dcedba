"""Decoration: what chat puts around words without changing them."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from holdfast.perturbations.choose import choose_where, edit_count
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import cluster_cuts, count_tokens
from holdfast.perturbations.types import Edit, Edits

_TOKEN = re.compile(r"\S+")


@perturbation("emoji", family="decoration", light=0.05, heavy=0.25, units=count_tokens)
def emoji(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Put emoji after words, each behind a space of its own.

    >>> emoji("who painted the Mona Lisa?", 0.2, Random(1)).text
    'who painted 😎 the Mona Lisa?'
    """
    count = edit_count(strength, count_tokens(text))
    seen = masked(text, protect)
    ends = [match.end() for match in _TOKEN.finditer(seen)]
    cuts = cluster_cuts(text)

    def is_free(place: int) -> bool:
        return ends[place] in cuts and seen[ends[place] - 1 : ends[place] + 1] != "\0\0"

    chosen = [ends[place] for place in choose_where(len(ends), count, rng, is_free)]
    return Edits(text, tuple([Edit(end, "", f" {rng.choice(_emoji())}") for end in chosen]))


@cache
def _emoji() -> list[str]:
    return [line.strip() for line in read_lines("emoji.txt")]
