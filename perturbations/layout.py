"""Layout noise: spaces and punctuation marks lost, added and mistaken."""

from collections.abc import Sequence
from itertools import repeat
from random import Random
from unicodedata import category

from holdfast.perturbations.choose import choose_marked, edit_count, spun, wheel
from holdfast.perturbations.marks import Kind, both, run_ends, run_starts
from holdfast.perturbations.protected import free_clusters
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import NO_SPACE, SPACES, count_tokens
from holdfast.perturbations.types import Edits, Row


@perturbation("spacing", family="layout", light=0.10, heavy=0.30, units=count_tokens)
def spacing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Disturb the gaps between words: a space too many, a line break for a space, a space lost.

    No space is lost beside a protected span (`5 5` never becomes `55`). A text without gaps gets a space at its end.

    >>> spacing("name the longest river in Europe", 0.5, Random(1)).text
    'namethe  longest river in\\nEurope'
    """
    count = edit_count(strength, count_tokens(text))
    starts, seen = free_clusters(text, protect)
    gaps = _gaps(SPACES.marks(seen))
    chosen = choose_marked(gaps, count, rng)
    if count and not chosen:
        return Edits(text, [(len(text), "", " ")])
    kinds = spun(repeat(_GAPS), len(chosen), rng)
    return Edits(text, [_disturb(seen, at, starts[at], kind) for at, kind in zip(chosen, kinds, strict=True)])


_GAPS = wheel(["\n", "", "  "])  # what may become of a space


def _gaps(spaces: bytes) -> bytes:
    """Marks where the spaces between words start; those at the ends of the text are none."""
    gaps = run_starts(spaces)
    if spaces.startswith(b"\1"):
        gaps = b"\0" + gaps[1:]
    if spaces.endswith(b"\1"):
        last = gaps.rfind(1)
        gaps = gaps[: max(last, 0)].ljust(len(gaps), b"\0")
    return gaps


def _disturb(seen: Sequence[str], place: int, start: int, kind: str) -> Row:
    """A single space gives way to `kind`, where it may; any other gap is widened."""
    single = seen[place] == " " and not seen[place + 1].isspace()
    if single and kind != "  " and (kind or seen[place - 1] != "\0" != seen[place + 1]):
        return start, " ", kind
    return start, "", " "


@perturbation("punctuation", family="layout", light=0.05, heavy=0.25, units=count_tokens)
def punctuation(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop, mistake or add the marks at the ends of words.

    Nothing is added to a protected span (a mark would become part of an address), but the mark after one may go.

    >>> punctuation("Well, who wrote Hamlet, and when?", 0.5, Random(4)).text
    'Well, who wrote! Hamlet and. when?'
    """
    count = edit_count(strength, count_tokens(text))
    starts, seen = free_clusters(text, protect)
    ends = both(run_ends(NO_SPACE.marks(seen)), _PUNCTUABLE.marks(seen))
    chosen = choose_marked(ends, count, rng)
    chances = rng.randbytes(len(chosen))
    return Edits(text, [_repunctuate(text, starts[at + 1], byte) for at, byte in zip(chosen, chances, strict=True)])


# What people write for one another, by script: Latin and most others, Devanagari, Arabic, East Asian.
_MARKS = (".,;:!?", "।,;:!?", ".،؛:!؟", "。，；：！？")
_ANY_MARK = frozenset("".join(_MARKS))
_PUNCTUABLE = Kind(lambda cluster: cluster in _ANY_MARK or category(cluster[-1])[0] in "LM")


def _repunctuate(text: str, end: int, byte: int) -> Row:
    """Add a mark where a word ends without one; else drop or change its mark (one that stands alone only changes)."""
    last = text[end - 1]
    marks = _marks_like(last)
    if last not in _ANY_MARK:
        return end, "", marks[byte % len(marks)]
    alone = end == 1 or text[end - 2].isspace()
    if not alone and byte < 128:
        return end - 1, last, ""
    others = marks.replace(last, "")
    return end - 1, last, others[byte % len(others)]


def _marks_like(character: str) -> str:
    if character < "\u0600":
        return _MARKS[0]
    if "\u0900" <= character <= "\u097f":
        return _MARKS[1]
    if "\u0600" <= character <= "\u06ff":
        return _MARKS[2]
    return _MARKS[3] if "\u3000" <= character <= "\u9fff" or character in _MARKS[3] else _MARKS[0]
