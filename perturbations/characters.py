"""Character noise: slips of the fingers, lost characters, flipped case."""

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from holdfast.perturbations.choose import choose_apart, choose_where, edit_count
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
    'please sumaris thhe dialogue'
    """
    starts, clusters = _clusters(text, protect)
    size = len(clusters)

    def is_letter(place: int) -> bool:
        return clusters[place][0].isalpha()

    def is_inner(place: int) -> bool:
        return clusters[place][0].isalpha() and place > 0 and clusters[place - 1][0].isalpha()

    chosen = choose_apart(size, edit_count(strength, size), rng, is_letter, is_inner)
    following = [*chosen[1:], size + 2]
    edits = [
        _slip(starts[place], clusters, place, after > place + 2, rng)
        for place, after in zip(chosen, following, strict=False)
    ]
    return Edits(text, tuple(edits))


@perturbation("char_deletion", family="characters", light=0.02, heavy=0.08, units=count_characters)
def char_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Lose letters, as a worn keyboard or a bad transmission does. One letter always stays.

    >>> char_deletion("what is the tallest mountain?", 0.1, Random(1)).text
    'wha is the tallest monain?'
    """
    starts, clusters = _clusters(text, protect)
    size = len(clusters)

    def is_letter(place: int) -> bool:
        return clusters[place][0].isalpha()

    chosen = choose_where(size, edit_count(strength, size), rng, is_letter)
    lost = set(chosen)
    if all(place in lost for place in range(size) if is_letter(place)):
        chosen = chosen[1:]
    return Edits(text, tuple([Edit(starts[place], clusters[place], "") for place in chosen]))


@perturbation("case", family="characters", light=0.05, heavy=0.30, units=count_characters)
def case(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Flip letters between upper and lower case, as a sticky shift key does.

    Letters whose other case is longer (ß) or is not there (most scripts) stay.

    >>> case("who wrote Hamlet?", 0.2, Random(1)).text
    'wHO wrote HAmlet?'
    """
    starts, clusters = _clusters(text, protect)
    size = len(clusters)

    def has_other_case(place: int) -> bool:
        letter = clusters[place]
        other = letter.swapcase()
        return letter[0].isalpha() and other != letter and len(other) == len(letter)

    chosen = choose_where(size, edit_count(strength, size), rng, has_other_case)
    return Edits(text, tuple([Edit(starts[at], clusters[at], clusters[at].swapcase()) for at in chosen]))


def _clusters(text: str, protect: Sequence[str]) -> tuple[Sequence[int], Sequence[str]]:
    """Where the clusters of `text` start, and the clusters, NUL for those that are protected.

    For a simple text both cost nothing: its code points are its clusters.
    """
    starts, visible = cluster_starts(text), masked(text, protect)
    if isinstance(starts, range):
        return starts, visible
    return starts, ["\0" if "\0" in visible[start:end] else visible[start:end] for start, end in pairwise(starts)]


# Shares of omission, substitution, insertion and transposition among 3,468 misspellings that are one edit away from
# their word (Wikipedia's list of common misspellings); cumulated.
_SHARES = (0.41, 0.64, 0.85, 1.0)
_KINDS = ("drop", "replace", "double", "swap")


def _slip(start: int, clusters: Sequence[str], place: int, room: bool, rng: Random) -> Edit:
    """One slip at a letter; a kind that the place does not allow gives way to the next.

    Dropping needs a letter beside it (no word vanishes), doubling none that is the same (else a drop nearby could
    undo it), so one of the two is always possible. `room` says that a swap would not touch the next slip.
    """
    letter = clusters[place]
    before = clusters[place - 1] if place > 0 else " "
    after = clusters[place + 1] if place + 1 < len(clusters) else " "
    kind = bisect(_SHARES, rng.random())
    for name in (_KINDS + _KINDS)[kind : kind + 4]:
        if name == "drop" and (before[0].isalpha() or after[0].isalpha()):
            return Edit(start, letter, "")
        if name == "replace" and letter in neighbours():
            return Edit(start, letter, rng.choice(neighbours()[letter]))
        if name == "double" and letter != before and letter != after:
            return Edit(start, letter, letter + letter)
        if name == "swap" and room and after != letter and after[0].isalpha():
            return Edit(start, letter + after, after + letter)
    raise AssertionError("a letter without a letter beside it can be doubled")
