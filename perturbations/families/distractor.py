"""Distractors: irrelevant sentences added before, after or inside the text."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random

from holdfast.language.detection import language_of
from holdfast.language.sentences import sentence_spans
from holdfast.language.text import Span, cluster_cuts
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import protected_spans

_MOST = 4


def _room(text: str) -> int:
    return _MOST if text.strip() else 0


@perturbation("distractor", family="distraction", light=0.25, heavy=0.75, units=_room)
def distractor(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Add irrelevant sentences; the text itself is unchanged.

    Strength 1 means four sentences (light adds one, heavy three), each in a different place: before the text, after it,
    or between its sentences (between its lines if it has several). A text of one sentence has two places. The sentences
    are English, Hindi or Hinglish, like the text (texts in other languages are unchanged), and contain no names or
    numbers that could be mistaken for an answer.

    >>> distractor("Who wrote Hamlet?", 0.25, Random(3)).text
    'The grass is wet after the rain. Who wrote Hamlet?'
    """
    count = edit_count(strength, _room(text))
    known = _sentences_by_language().get(language_of(text), [])
    if not count or not known:
        return Edits(text)
    places = choose(_places(text, protect), count, rng)
    added = rng.sample(known, len(places))
    return Edits(text, tuple(_insert_sentence(text, at, more) for at, more in zip(places, added, strict=True)))


def _places(text: str, protect: Sequence[str]) -> list[int]:
    """Return the offsets where a sentence may be added: 0, line ends or else sentence ends, and the end of the text."""
    cuts, spans = cluster_cuts(text), protected_spans(text, protect)
    lines = [match.start() for match in _LINE_END.finditer(text)]
    ends = lines or [end for _, end in sentence_spans(text)[:-1]]
    last = len(text.rstrip())
    inner = [at for at in _outside_spans(ends, spans) if at in cuts and at < last]
    return [0, *inner, last if last in cuts else len(text)]


_LINE_END = re.compile(r"(?<=\S)[ \t]*\n+(?=\s*\S)")


def _outside_spans(places: Sequence[int], spans: Sequence[Span]) -> list[int]:
    """Return the sorted `places` that lie in none of the sorted `spans`."""
    outside, at = [], 0
    for place in places:
        while at < len(spans) and spans[at][1] <= place:
            at += 1
        if at == len(spans) or place <= spans[at][0]:
            outside.append(place)
    return outside


def _insert_sentence(text: str, at: int, added: str) -> Edit:
    """Insert a sentence before the text, after a space, or on a new line if the text before it has no end mark."""
    if at == 0:
        return Edit(0, "", f"{added} ")
    own_line = text[at : at + 1] == "\n" or not _CLOSED.search(text[max(0, at - 4) : at])
    return Edit(at, "", f"\n{added}" if own_line else f" {added}")


_CLOSED = re.compile(r"[.!?।॥…。！？][\"'”’)\]]*$")


@cache
def _sentences_by_language() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in read_lines("distractors.txt", "holdfast.perturbations"):
        language, _, sentence = line.partition(": ")
        table.setdefault(language, []).append(sentence)
    return table
