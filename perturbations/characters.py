"""Character noise: slips of the fingers, lost characters, flipped case."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

from holdfast.perturbations.choose import choose, choose_apart, edit_count
from holdfast.perturbations.keyboards import neighbours
from holdfast.perturbations.protected import masked
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.text import cluster_starts, count_characters
from holdfast.perturbations.types import Edit, Edits


@perturbation("typos", family="characters", light=0.02, heavy=0.08, units=count_characters)
def typos(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Mistype letters as people do: leave one out, hit the key beside it, type it twice, swap it with the next.

    The kinds come in the shares of single-edit misspellings in the wild, where the first letter of a word is nearly
    always right. Two slips never touch. Scripts without a keyboard table are dropped, doubled and swapped by
    grapheme cluster.

    >>> typos("please summarise the dialogue", 0.1, Random(3)).text
    'pleas summatise the diaogue'
    """
    starts = cluster_starts(text)
    count = edit_count(strength, len(starts) - 1)
    places = _letters(masked(text, protect), starts)
    letters = set(places)
    inner = [place for place in places if place - 1 in letters]
    chosen = choose_apart(places, count, rng, preferred=inner)
    following = [*chosen[1:], len(starts) + 2]
    return Edits(
        text,
        tuple(
            _slip(text, starts, place, letters, after > place + 2, rng)
            for place, after in zip(chosen, following, strict=True)
        ),
    )


@perturbation("char_deletion", family="characters", light=0.02, heavy=0.08, units=count_characters)
def char_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Lose letters, as a worn keyboard or a bad transmission does. One letter always stays.

    >>> char_deletion("what is the tallest mountain?", 0.1, Random(1)).text
    'wat i the tallest mountan?'
    """
    starts = cluster_starts(text)
    count = edit_count(strength, len(starts) - 1)
    places = _letters(masked(text, protect), starts)
    chosen = choose(places, min(count, len(places) - 1), rng) if len(places) > 1 else []
    return Edits(text, tuple(Edit(starts[i], text[starts[i] : starts[i + 1]], "") for i in chosen))


@perturbation("case", family="characters", light=0.05, heavy=0.30, units=count_characters)
def case(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Flip letters between upper and lower case, as a sticky shift key does.

    Letters whose other case is longer (ß) or is not there (most scripts) stay.

    >>> case("who wrote Hamlet?", 0.2, Random(1)).text
    'whO WrotE Hamlet?'
    """
    starts = cluster_starts(text)
    count = edit_count(strength, len(starts) - 1)
    flips = []
    for place in _letters(masked(text, protect), starts):
        letter = text[starts[place] : starts[place + 1]]
        flipped = letter.swapcase()
        if flipped != letter and len(flipped) == len(letter):
            flips.append(Edit(starts[place], letter, flipped))
    return Edits(text, tuple(choose(flips, count, rng)))


def _letters(visible: str, starts: Sequence[int]) -> list[int]:
    """Which clusters are letters of any script (base letter first, marks after it)."""
    if isinstance(starts, range):
        return [place for place, character in enumerate(visible) if character.isalpha()]
    return [
        place
        for place, (start, end) in enumerate(pairwise(starts))
        if visible[start].isalpha() and "\0" not in visible[start:end]
    ]


# Shares of omission, substitution, doubling and transposition among 3,468 misspellings that are one edit away from
# their word (Wikipedia's list of common misspellings); cumulated.
_KINDS = ((0.41, "drop"), (0.64, "replace"), (0.85, "double"), (1.0, "swap"))
_ORDER = ("drop", "replace", "double", "swap", "drop", "replace", "double")


def _slip(
    text: str, starts: Sequence[int], place: int, letters: set[int], room: bool, rng: Random
) -> Edit:
    """One slip at a cluster; a kind that the place does not allow gives way to the next in `_ORDER`.

    Dropping needs a letter beside it (no word vanishes), doubling none that is the same (else a drop nearby could
    undo it), so one of the two is always possible. `room` says that a swap would not touch the next slip.
    """
    start, end = starts[place], starts[place + 1]
    letter = text[start:end]
    before = text[starts[place - 1] : start] if place - 1 in letters else ""
    after = text[end : starts[place + 2]] if place + 1 in letters else ""
    share = rng.random()
    first = next(index for index, (bound, _) in enumerate(_KINDS) if share < bound)
    for kind in _ORDER[first : first + 4]:
        if kind == "drop" and (before or after):
            return Edit(start, letter, "")
        if kind == "replace" and letter in neighbours():
            return Edit(start, letter, rng.choice(neighbours()[letter]))
        if kind == "double" and letter not in (before, after):
            return Edit(start, letter, letter + letter)
        if kind == "swap" and room and after not in ("", letter):
            return Edit(start, letter + after, after + letter)
    raise AssertionError("a letter with no letter beside it can be doubled")
