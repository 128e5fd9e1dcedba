"""Layout noise: whitespace and punctuation dropped, added or confused."""

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
    """Perturb the gaps between words: an extra space, a line break instead of a space, a missing space.

    Spaces next to a protected span are never dropped (`5 5` never becomes `55`). A text without gaps gets a trailing
    space.

    >>> spacing("name the longest river in Europe", 0.5, Random(1)).text
    'namethe  longest river in\\nEurope'
    """
    total, starts, seen, ends = free_token_ends(text, protect)
    count, last = edit_count(strength, total), max(0, ends.rfind(1))
    chosen = choose_marked(ends[:last], count, rng)  # each precedes a gap
    if count and not chosen:
        return Edits(text, [(len(text), "", " ")])
    kinds = spin(repeat(_GAPS), len(chosen), rng)
    return Edits(text, [_change_gap(seen, at, starts[at + 1], kind) for at, kind in zip(chosen, kinds, strict=True)])


_GAPS = wheel(["\n", "", "  "])  # replacements for a space


def _change_gap(seen: Sequence[str], place: int, start: int, kind: str) -> Row:
    """Replace a single space after `place` with `kind` if that is allowed; widen any other gap."""
    single = seen[place + 1] == " " and not seen[place + 2].isspace()
    if single and kind != "  " and (kind or seen[place] != "\0" != seen[place + 2]):
        return start, " ", kind
    return start, "", " "


@perturbation("punctuation", family="layout", light=0.05, heavy=0.25, units=count_tokens)
def punctuation(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop, confuse or add punctuation at the ends of words.

    Nothing is added to a protected span (punctuation would become part of an address), but punctuation after one may be
    dropped.

    >>> punctuation("Well, who wrote Hamlet, and when?", 0.5, Random(4)).text
    'Well, who wrote! Hamlet and. when?'
    """
    total, starts, seen, ends = free_token_ends(text, protect)
    chosen = choose_marked(both(ends, _PUNCTUABLE.marks(seen)), edit_count(strength, total), rng)
    chances = rng.randbytes(len(chosen))
    return Edits(
        text, [_change_punctuation(text, starts[at + 1], byte) for at, byte in zip(chosen, chances, strict=True)]
    )


# Marks that people confuse, by script: Latin and most others, Devanagari, Arabic, East Asian.
_MARKS = (".,;:!?", "।,;:!?", ".،؛:!؟", "。，；：！？")
_ANY_MARK = frozenset("".join(_MARKS))
_PUNCTUABLE = CharacterClass(lambda cluster: cluster in _ANY_MARK or category(cluster[-1])[0] in "LM")


def _change_punctuation(text: str, end: int, byte: int) -> Row:
    """Add a mark to a word without one; otherwise drop or change its mark (a mark standing alone is only changed)."""
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
