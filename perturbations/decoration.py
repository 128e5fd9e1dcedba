"""Decoration: what chat and formatted pages put around words without changing them."""

from collections.abc import Sequence
from functools import cache
from random import Random

from holdfast.perturbations.choose import choose_marked, edit_count
from holdfast.perturbations.marks import run_ends, run_starts
from holdfast.perturbations.protected import free_clusters, free_word_marks
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import NO_SPACE, count_tokens, count_words
from holdfast.perturbations.types import Edit, Edits


@perturbation("emoji", family="decoration", light=0.05, heavy=0.25, units=count_tokens)
def emoji(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Put emoji after words, each behind a space of its own.

    >>> emoji("who painted the Mona Lisa?", 0.2, Random(1)).text
    'who painted the Mona 💯 Lisa?'
    """
    count = edit_count(strength, count_tokens(text))
    starts, seen = free_clusters(text, protect)
    ends = [starts[at + 1] for at in choose_marked(run_ends(NO_SPACE.marks(seen)), count, rng)]
    return Edits(text, tuple([Edit(end, "", f" {rng.choice(_emoji())}") for end in ends]))


@cache
def _emoji() -> list[str]:
    return [line.strip() for line in read_lines("emoji.txt")]


_EMPHASIS = ("**{}**", "*{}*", "__{}__", "_{}_", "***{}***")
_LINE_STARTS = ("- ", "* ", "# ", "## ", "> ", "1. ")


@perturbation("markdown", family="decoration", light=0.05, heavy=0.25, units=count_words)
def markdown(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Leave marks of Markdown in the text, as pasted text has them: bold, emphasis, bullets, headings.

    Never code marks, which would say that the text is to be taken literally, nor a line through it, which would say
    that it is deleted.

    >>> markdown("name the longest river in Europe", 0.4, Random(2)).text
    'name the longest river __in__ *Europe*'
    """
    total, free = free_word_marks(text, protect)
    edits = []
    for start in choose_marked(run_starts(free), edit_count(strength, total), rng):
        if rng.random() < 0.5 and (start == 0 or text[start - 1] == "\n"):
            edits.append(Edit(start, "", rng.choice(_LINE_STARTS)))
        else:
            end = free.find(0, start)
            word = text[start : end if end >= 0 else len(text)]
            edits.append(Edit(start, word, rng.choice(_EMPHASIS).format(word)))
    return Edits(text, tuple(edits))
