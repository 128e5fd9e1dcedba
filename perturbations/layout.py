"""Layout noise: spaces and punctuation marks lost, added and mistaken."""

import re
from collections.abc import Sequence
from random import Random
from unicodedata import category

from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import Span, count_tokens, whole
from holdfast.perturbations.types import Edit, Edits

_GAP = re.compile(r"(?<=[^\s])\s+(?=[^\s])")
_TOKEN = re.compile(r"\S+")


@perturbation("spacing", family="layout", light=0.10, heavy=0.30, units=count_tokens)
def spacing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Disturb the gaps between words: a space too many, a line break for a space, a space lost.

    No space is lost beside a protected span (`5 5` never becomes `55`). A text without gaps gets a space at its end.

    >>> spacing("name the longest river in Europe", 0.5, Random(2)).text
    'name the\\nlongestriver in  Europe'
    """
    count = edit_count(strength, count_tokens(text))
    seen = masked(text, protect)
    gaps = whole(text, [match.span() for match in _GAP.finditer(seen)])
    if not gaps and count:
        return Edits(text, (Edit(len(text), "", " "),))
    return Edits(text, tuple(_disturb(seen, gap, rng) for gap in choose(gaps, count, rng)))


def _disturb(seen: str, gap: Span, rng: Random) -> Edit:
    start, end = gap
    kind = rng.choice(("extra", "break", "lost"))
    if kind == "break" and seen[start:end] == " ":
        return Edit(start, " ", "\n")
    if kind == "lost" and seen[start:end] == " " and "\0" not in (seen[start - 1], seen[end]):
        return Edit(start, " ", "")
    return Edit(start, "", " ")


@perturbation("punctuation", family="layout", light=0.05, heavy=0.25, units=count_tokens)
def punctuation(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop, mistake or add the marks at the ends of words.

    Nothing is added to a protected span (a mark would become part of an address), but the mark after one may go.

    >>> punctuation("Well, who wrote Hamlet, and when?", 0.5, Random(3)).text
    'Well who wrote Hamlet; and when'
    """
    count = edit_count(strength, count_tokens(text))
    seen = masked(text, protect)
    places = [span for span in (_mark(seen, *match.span()) for match in _TOKEN.finditer(seen)) if span]
    return Edits(
        text, tuple(_repunctuate(text, span, rng) for span in choose(whole(text, places), count, rng))
    )


# What people write for one another, by script: Latin and most others, Devanagari, Arabic, East Asian.
_MARKS = (".,;:!?", "।,;:!?", ".،؛:!؟", "。，；：！？")
_ANY_MARK = frozenset("".join(_MARKS))


def _mark(seen: str, start: int, end: int) -> Span | None:
    """The mark at the end of a token; the empty span after it where there is none and one may be added."""
    last = seen[end - 1]
    if last in _ANY_MARK:
        return end - 1, end
    return (end, end) if category(last)[0] in "LM" else None


def _repunctuate(text: str, place: Span, rng: Random) -> Edit:
    start, end = place
    mark = text[start:end]
    marks = _marks_like(mark or text[start - 1])
    if not mark:
        return Edit(start, "", rng.choice(marks))
    alone = start == 0 or text[start - 1].isspace()
    if not alone and rng.random() < 0.5:
        return Edit(start, mark, "")
    return Edit(start, mark, rng.choice(marks.replace(mark, "")))


def _marks_like(character: str) -> str:
    if "\u0900" <= character <= "\u097f":
        return _MARKS[1]
    if "\u0600" <= character <= "\u06ff":
        return _MARKS[2]
    return _MARKS[3] if "\u3000" <= character <= "\u9fff" or character in _MARKS[3] else _MARKS[0]
