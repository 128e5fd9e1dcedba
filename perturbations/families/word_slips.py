"""Slips of a hurried writer: swapped words, repeated words, a cut-off end."""

from collections.abc import Sequence
from random import Random

from holdfast.language.grammar import closed_class
from holdfast.language.marks import between, both, either, select, where
from holdfast.language.text import SPACES, cluster_cuts, count_words, runs_together, word_edges
from holdfast.language.unspaced import is_unspaced
from holdfast.perturbations.choose import choose, choose_nonadjacent, choose_where, edit_count
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_word_edges, protected_spans


@perturbation("word_swap", family="words", light=0.05, heavy=0.15, units=count_words)
def word_swap(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Swap neighbouring words separated only by a space; each pair is one edit.

    >>> word_swap("who wrote the famous play about a prince?", 0.25, Random(1)).text
    'who wrote famous the about play a prince?'
    """
    total, firsts, lasts = free_word_edges(text, protect)
    gaps = both(SPACES.marks(text), between(either(firsts, lasts)))
    may_swap = bytearray(
        select(either(gaps, firsts)[1:] + b"\0", lasts)
    )  # for each word: can it swap with the next one?
    ends, may_glue = [last + 1 for last in where(lasts)], is_unspaced(text)
    while True:
        chosen = choose_nonadjacent(bytes(may_swap), bytes(may_swap), edit_count(strength, total), rng)
        edits, rejected = [], []
        for place in chosen:
            end, stop = ends[place : place + 2]
            start, second = firsts.rfind(1, 0, end), firsts.find(1, end)
            swapped = text[second:stop] + text[end:second] + text[start:end]
            if swapped == text[start:stop] or (may_glue and _would_merge(text, start, swapped, stop)):
                rejected.append(place)
            edits.append((start, text[start:stop], swapped))
        if not rejected:
            return Edits(text, edits)
        for place in rejected:
            may_swap[place] = 0


def _would_merge(text: str, start: int, swapped: str, stop: int) -> bool:
    """Return whether a swapped word would run together with the text next to the pair."""
    return runs_together(text[max(0, start - 1) : start], swapped) or runs_together(swapped, text[stop : stop + 1])


@perturbation("word_repeat", family="words", light=0.05, heavy=0.20, units=count_words)
def word_repeat(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Write words twice, as happens at line breaks and after rewriting; mostly function words ("the the").

    >>> word_repeat("what is the capital of the country?", 0.3, Random(2)).text
    'what what is the capital of the the country?'
    """
    total, firsts, lasts = free_word_edges(text, protect)
    starts, count = where(firsts), edit_count(strength, total)
    ends = [last + 1 for last in where(lasts)]
    size = len(starts)

    def is_small(place: int) -> bool:
        return text[starts[place] : ends[place]].lower() in closed_class()

    chosen = choose_where(size, count, rng, is_small)
    if len(chosen) < count:
        taken = set(chosen)
        chosen += choose([place for place in range(size) if place not in taken], count - len(chosen), rng)
    return Edits(text, [(ends[at], "", _repeat_word(text[starts[at] : ends[at]])) for at in sorted(chosen)])


def _repeat_word(word: str) -> str:
    """Return the word to insert, after a space if its script uses them."""
    lower = word.lower()
    again = lower if word != "I" and lower in closed_class() else word
    return again if is_unspaced(word) else f" {again}"


@perturbation("truncate", family="words", light=0.05, heavy=0.20, units=count_words)
def truncate(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Cut off the last words, one edit per word, as a length limit or an early return key does.

    Protected spans, and everything before the last one, are kept, and so is at least one word.

    >>> truncate("Who wrote the play, and when was it first shown?", 0.4, Random(1)).text
    'Who wrote the play, and when'
    """
    total, firsts, lasts = word_edges(text)
    cuts, kept = cluster_cuts(text), max((end for _, end in protected_spans(text, protect)), default=0)
    edits, end, start = [], len(text), len(text)
    for _ in range(min(edit_count(strength, total), total - 1)):
        start = firsts.rfind(1, 0, start)  # start of the last word
        before = lasts.rfind(1, 0, start) + 1  # end of the word before it
        cut = before if text[before].isspace() else _first_space(text, before, start)
        if not before or cut < kept or cut not in cuts:
            break
        edits.append((cut, text[cut:end], ""))
        end = cut
    return Edits(text, reversed(edits))


def _first_space(text: str, start: int, end: int) -> int:
    """Return the offset of the first space in `text[start:end]`, or `start` if there is none."""
    return next((at for at in range(start, end) if text[at].isspace()), start)
