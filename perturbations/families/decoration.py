"""Decoration: symbols that chats and formatted pages add to words without changing them."""

from collections.abc import Sequence
from functools import cache
from itertools import repeat
from random import Random

from holdfast.language.text import count_tokens, count_words
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import choose_marked, edit_count, spin, wheel
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_token_ends, free_word_edges


@perturbation("emoji", family="decoration", light=0.05, heavy=0.25, units=count_tokens)
def emoji(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Insert emoji after words, each preceded by a space.

    >>> emoji("who painted the Mona Lisa?", 0.2, Random(1)).text
    'who painted the 😀 Mona Lisa?'
    """
    total, starts, _, ends = free_token_ends(text, protect)
    chosen = choose_marked(ends, edit_count(strength, total), rng)
    added = spin(repeat(_emoji()), len(chosen), rng)
    return Edits(text, [(starts[at + 1], "", emoji) for at, emoji in zip(chosen, added, strict=True)])


@cache
def _emoji() -> list[str]:
    return wheel(f" {line.strip()}" for line in read_lines("emoji.txt", "holdfast.perturbations"))


_EMPHASIS = ("**", "*", "__", "_", "***")
_LINE_STARTS = ("- ", "* ", "# ", "## ", "> ", "1. ")


@perturbation("markdown", family="decoration", light=0.05, heavy=0.25, units=count_words)
def markdown(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Add Markdown markup as found in pasted text: bold, emphasis, bullets, headings.

    Code marks and strikethrough are not used because they would mark the text as literal or as deleted.

    >>> markdown("name the longest river in Europe", 0.4, Random(2)).text
    'name the _longest_ river **in** Europe'
    """
    total, firsts, lasts = free_word_edges(text, protect)
    chosen = choose_marked(firsts, edit_count(strength, total), rng)
    edits = []
    for start, byte in zip(chosen, rng.randbytes(len(chosen)), strict=True):
        if byte < 128 and (start == 0 or text[start - 1] == "\n"):
            edits.append((start, "", _LINE_STARTS[byte % len(_LINE_STARTS)]))
        else:
            word = text[start : lasts.find(1, start) + 1]
            mark = _EMPHASIS[byte % len(_EMPHASIS)]
            edits.append((start, word, f"{mark}{word}{mark}"))
    return Edits(text, edits)
