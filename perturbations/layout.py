"""Layout noise: spaces and punctuation marks lost, added and mistaken."""

import re
from collections.abc import Sequence
from random import Random
from unicodedata import category

from holdfast.perturbations.choose import choose, choose_where, edit_count
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import Span, cluster_cuts, count_tokens, whole
from holdfast.perturbations.types import Edit, Edits

_GAP = re.compile(r"(?<=[^\s])\s+(?=[^\s])")
_TOKEN = re.compile(r"\S+")


@perturbation("spacing", family="layout", light=0.10, heavy=0.30, units=count_tokens)
def spacing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Disturb the gaps between words: a space too many, a line break for a space, a space lost.

    No space is lost beside a protected span (`5 5` never becomes `55`). A text without gaps gets a space at its end.

    >>> spacing("name the longest river in Europe", 0.5, Random(2)).text
    'name\\nthe longest river  inEurope'
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
    'Well, who; wrote Hamlet, and! when'
    """
    count = edit_count(strength, count_tokens(text))
    seen = masked(text, protect)
    ends = [match.end() for match in _TOKEN.finditer(seen)]
    cuts = cluster_cuts(text)

    def may_change(place: int) -> bool:
        end = ends[place]
        last = seen[end - 1]
        return end in cuts and (end - 1 in cuts if last in _ANY_MARK else category(last)[0] in "LM")

    chosen = choose_where(len(ends), count, rng, may_change)
    return Edits(text, tuple([_repunctuate(text, ends[place], rng) for place in chosen]))


# What people write for one another, by script: Latin and most others, Devanagari, Arabic, East Asian.
_MARKS = (".,;:!?", "।,;:!?", ".،؛:!؟", "。，；：！？")
_ANY_MARK = frozenset("".join(_MARKS))


def _repunctuate(text: str, end: int, rng: Random) -> Edit:
    """Add a mark where a word ends without one; else drop or change its mark (one that stands alone only changes)."""
    last = text[end - 1]
    marks = _marks_like(last)
    if last not in _ANY_MARK:
        return Edit(end, "", rng.choice(marks))
    alone = end == 1 or text[end - 2].isspace()
    if not alone and rng.random() < 0.5:
        return Edit(end - 1, last, "")
    return Edit(end - 1, last, rng.choice(marks.replace(last, "")))


def _marks_like(character: str) -> str:
    if "\u0900" <= character <= "\u097f":
        return _MARKS[1]
    if "\u0600" <= character <= "\u06ff":
        return _MARKS[2]
    return _MARKS[3] if "\u3000" <= character <= "\u9fff" or character in _MARKS[3] else _MARKS[0]
