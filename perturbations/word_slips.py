"""Slips of a hurried writer: two words in the wrong order, a word written twice, the end of the text cut off."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from holdfast.perturbations.choose import choose, choose_apart, edit_count
from holdfast.perturbations.grammar import closed_class
from holdfast.perturbations.protected import free_words, protected_spans
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import cluster_cuts, count_words, words
from holdfast.perturbations.types import Edit, Edits


@perturbation("word_swap", family="words", light=0.05, heavy=0.15, units=count_words)
def word_swap(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Let neighbouring words change places; only a space stands between them, and each pair is one edit.

    >>> word_swap("who wrote the famous play about a prince?", 0.25, Random(1)).text
    'who wrote famous the about play a prince?'
    """
    total, spans = free_words(text, protect)
    may_swap = bytes(
        text[end:following].isspace() and text[start:end] != text[following:stop]
        for (start, end), (following, stop) in pairwise(spans)
    )
    chosen = choose_apart(may_swap, may_swap, edit_count(strength, total), rng)
    edits = []
    for place in chosen:
        (start, end), (following, stop) = spans[place : place + 2]
        edits.append(Edit(start, text[start:stop], text[following:stop] + text[end:following] + text[start:end]))
    return Edits(text, tuple(edits))


@perturbation("word_repeat", family="words", light=0.05, heavy=0.20, units=count_words)
def word_repeat(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Write words twice, as happens where a line breaks or a sentence is rewritten; mostly the small ones ("the the").

    >>> word_repeat("what is the capital of the country?", 0.3, Random(2)).text
    'what what is the capital of the the country?'
    """
    total, spans = free_words(text, protect)
    count = edit_count(strength, total)
    small = [span for span in spans if text[slice(*span)].lower() in closed_class()] if count else []
    chosen = choose(small, count, rng)
    if len(chosen) < count:
        taken = set(chosen)
        chosen += choose([span for span in spans if span not in taken], count - len(chosen), rng)
    edits = [Edit(end, "", f" {_again(text[start:end])}") for start, end in sorted(chosen)]
    return Edits(text, tuple(edits))


def _again(word: str) -> str:
    lower = word.lower()
    return lower if word != "I" and lower in closed_class() else word


@perturbation("truncate", family="words", light=0.05, heavy=0.20, units=count_words)
def truncate(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Cut the last words off, one edit for each, as a length limit or an early return key does.

    The cut never reaches into a protected span: it stops behind the last one. One word always stays.

    >>> truncate("Who wrote the play, and when was it first shown?", 0.4, Random(1)).text
    'Who wrote the play, and when'
    """
    spans = words(text)
    count = min(edit_count(strength, len(spans)), len(spans) - 1)
    if count <= 0:
        return Edits(text)
    cuts, kept = cluster_cuts(text), max((end for _, end in protected_spans(text, protect)), default=0)
    edits, end = [], len(text)
    for (_, before), (start, _) in zip(spans[-2 : -count - 2 : -1], spans[: -count - 1 : -1], strict=True):
        cut = next((at for at in range(before, start) if text[at].isspace()), before)
        if cut < kept or cut not in cuts:
            break
        edits.append(Edit(cut, text[cut:end], ""))
        end = cut
    return Edits(text, tuple(reversed(edits)))
