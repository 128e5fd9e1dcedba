"""Layout noise: spaces and punctuation marks lost, added and mistaken."""

from collections.abc import Sequence
from itertools import repeat
from random import Random
from unicodedata import category

from holdfast.language.marks import CharacterClass, both
from holdfast.language.text import count_tokens
from holdfast.perturbations.choose import choose_marked, edit_count, spin, wheel
from holdfast.perturbations.edits import Edits, Row
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_token_ends


@perturbation("spacing", family="layout", light=0.10, heavy=0.30, units=count_tokens)
def spacing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Disturb the gaps between words: a space too many, a line break for a space, a space lost.

    No space is lost beside a protected span (`5 5` never becomes `55`). A text without gaps gets a space at its end.

    >>> spacing("name the longest river in Europe", 0.5, Random(1)).text
    'namethe  longest river in\\nEurope'
    """
    total, starts, seen, ends = free_token_ends(text, protect)
    count, last = edit_count(strength, total), max(0, ends.rfind(1))
    chosen = choose_marked(ends[:last], count, rng)  # each stands before a gap
    if count and not chosen:
        return Edits(text, [(len(text), "", " ")])
    kinds = spin(repeat(_GAPS), len(chosen), rng)
    return Edits(text, [_disturb(seen, at, starts[at + 1], kind) for at, kind in zip(chosen, kinds, strict=True)])


_GAPS = wheel(["\n", "", "  "])  # what may become of a space


def _disturb(seen: Sequence[str], place: int, start: int, kind: str) -> Row:
    """A single space after `place`, at `start`, gives way to `kind`, where it may; any other gap is widened."""
    single = seen[place + 1] == " " and not seen[place + 2].isspace()
    if single and kind != "  " and (kind or seen[place] != "\0" != seen[place + 2]):
        return start, " ", kind
    return start, "", " "


@perturbation("punctuation", family="layout", light=0.05, heavy=0.25, units=count_tokens)
def punctuation(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop, mistake or add the marks at the ends of words.

    Nothing is added to a protected span (a mark would become part of an address), but the mark after one may go.

    >>> punctuation("Well, who wrote Hamlet, and when?", 0.5, Random(4)).text
    'Well, who wrote! Hamlet and. when?'
    """
    total, starts, seen, ends = free_token_ends(text, protect)
    chosen = choose_marked(both(ends, _PUNCTUABLE.marks(seen)), edit_count(strength, total), rng)
    chances = rng.randbytes(len(chosen))
    return Edits(text, [_repunctuate(text, starts[at + 1], byte) for at, byte in zip(chosen, chances, strict=True)])


# What people write for one another, by script: Latin and most others, Devanagari, Arabic, East Asian.
_MARKS = (".,;:!?", "।,;:!?", ".،؛:!؟", "。，；：！？")
_ANY_MARK = frozenset("".join(_MARKS))
_PUNCTUABLE = CharacterClass(lambda cluster: cluster in _ANY_MARK or category(cluster[-1])[0] in "LM")


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
