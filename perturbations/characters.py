"""Character noise: slips of the fingers, lost characters, flipped case."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random

from holdfast.perturbations.choose import choose_apart, choose_marked, edit_count
from holdfast.perturbations.keyboards import keyboard_of
from holdfast.perturbations.marks import Kind, inner
from holdfast.perturbations.protected import free_clusters
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import LETTERS, count_characters
from holdfast.perturbations.types import Edit, Edits


@perturbation("typos", family="characters", light=0.02, heavy=0.08, units=count_characters)
def typos(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Mistype letters as people do: leave one out, hit the key beside it instead or as well, repeat it, swap it.

    The kinds come in the shares of single-edit misspellings in the wild, where the first letter of a word is nearly
    always right and the last one mostly. Two slips never touch. The keyboard is guessed from the text (see
    `keyboard_of`); scripts without one are dropped, doubled and swapped. Devanagari and other scripts that
    combine characters change by whole grapheme clusters.

    >>> typos("please summarise the dialogue", 0.1, Random(3)).text
    'pease summjarise te dialogue'
    """
    starts, clusters = free_clusters(text, protect)
    letters = LETTERS.marks(clusters)
    size = len(letters)
    chosen = choose_apart(inner(letters), letters, edit_count(strength, size), rng)
    keyboard = keyboard_of(text)
    edits = []
    for place, after in zip(chosen, [*chosen[1:], size + 2], strict=False):
        before = clusters[place - 1] if place > 0 and letters[place - 1] else ""
        following = clusters[place + 1] if place + 1 < size and letters[place + 1] else ""
        room = after > place + 2
        edits.append(_slip(starts[place], clusters[place], before, following, room, keyboard, rng))
    return Edits(text, tuple(edits))


# Shares of omission, substitution, doubling, other insertion and transposition among 3,468 misspellings that are one
# edit away from their word (Wikipedia's list of common misspellings); cumulated.
_KINDS = ("drop", "replace", "double", "insert", "swap")
_SHARES = (0.41, 0.64, 0.72, 0.85)
_FROM = [(_KINDS + _KINDS)[kind : kind + len(_KINDS)] for kind in range(len(_KINDS))]


def _slip(
    start: int, letter: str, before: str, following: str, room: bool, keyboard: Mapping[str, str], rng: Random
) -> Edit:
    """One slip at a letter; a kind that the place does not allow gives way to the next.

    `before` and `following` are the letters beside it, or "", and `room` says that a swap would not touch the next
    slip. Dropping needs a letter beside it (no word vanishes); what is doubled or inserted must differ from what
    stands there (else a drop nearby could undo it). So a drop or a doubling is always possible.
    """
    for name in _FROM[bisect(_SHARES, rng.random())]:
        if name == "drop" and (before or following):
            return Edit(start, letter, "")
        if name == "replace" and (other := _misses(letter, keyboard, rng)):
            return Edit(start, letter, other)
        if name == "double" and letter not in (before, following):
            return Edit(start, letter, letter + letter)
        if name == "insert" and (near := keyboard.get(letter, "").replace(following or letter, "")):
            return Edit(start, letter, letter + near[int(rng.random() * len(near))])
        if name == "swap" and room and following not in ("", letter):
            return Edit(start, letter + following, following + letter)
    raise AssertionError("a letter without a letter beside it can be doubled")


def _misses(cluster: str, keyboard: Mapping[str, str], rng: Random) -> str:
    """The cluster with one of its characters mistaken for its neighbour on the keyboard; "" where none has any."""
    if len(cluster) == 1:
        near = keyboard.get(cluster, "")
        return near and near[int(rng.random() * len(near))]
    known = [at for at, character in enumerate(cluster) if character in keyboard]
    if not known:
        return ""
    at = rng.choice(known)
    return cluster[:at] + rng.choice(keyboard[cluster[at]]) + cluster[at + 1 :]


@perturbation("char_deletion", family="characters", light=0.02, heavy=0.08, units=count_characters)
def char_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Lose letters, as a worn keyboard or a bad transmission does. One letter always stays.

    >>> char_deletion("what is the tallest mountain?", 0.1, Random(1)).text
    'wha is the tallest monain?'
    """
    starts, clusters = free_clusters(text, protect)
    letters = LETTERS.marks(clusters)
    chosen = choose_marked(letters, edit_count(strength, len(letters)), rng)
    if len(chosen) == letters.count(1):
        chosen = chosen[1:]
    return Edits(text, tuple([Edit(starts[place], clusters[place], "") for place in chosen]))


@perturbation("case", family="characters", light=0.05, heavy=0.30, units=count_characters)
def case(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Flip letters between upper and lower case, as a sticky shift key does.

    Letters whose other case is longer (ß) or is not there (most scripts) stay.

    >>> case("who wrote Hamlet?", 0.2, Random(1)).text
    'whO wrote HaMlEt?'
    """
    starts, clusters = free_clusters(text, protect)
    chosen = choose_marked(_CASED.marks(clusters), edit_count(strength, len(clusters)), rng)
    return Edits(text, tuple([Edit(starts[at], clusters[at], clusters[at].swapcase()) for at in chosen]))


def _has_other_case(letter: str) -> bool:
    other = letter.swapcase()
    return letter[0].isalpha() and other != letter and len(other) == len(letter)


_CASED = Kind(_has_other_case)


@perturbation("ocr", family="characters", light=0.02, heavy=0.08, units=count_characters)
def ocr(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Misread letters as a scanner does: l for 1, O for 0, m for rn, d for cl, and back.

    A pair that is read as one letter is one edit, and no two edits touch.

    >>> ocr("modern clients will learn", 0.2, Random(3)).text
    'm0deru cl1ent5 vvill learn'
    """
    starts, clusters = free_clusters(text, protect)
    table = _misreadings()
    marks = _misread().marks(clusters)
    if isinstance(clusters, str):
        marks = _with_pairs(marks, clusters, table)
    chosen = choose_apart(marks, marks, edit_count(strength, len(marks)), rng)
    edits = []
    for place in chosen:
        seen = clusters[place]
        pair = seen + clusters[place + 1] if place + 1 < len(clusters) else seen
        source = pair if pair in table else seen
        edits.append(Edit(starts[place], source, rng.choice(table[source])))
    return Edits(text, tuple(edits))


def _with_pairs(marks: bytes, text: str, table: Mapping[str, Sequence[str]]) -> bytes:
    """The marks, and marks where a pair of letters stands that is read as one, though its first letter alone is not."""
    marked = bytearray(marks)
    for pair in table:
        if len(pair) == 2:
            at = text.find(pair)
            while at >= 0:
                marked[at] = 1
                at = text.find(pair, at + 1)
    return bytes(marked)


@cache
def _misread() -> Kind:
    return Kind(_misreadings().__contains__)


@cache
def _misreadings() -> dict[str, list[str]]:
    """Each letter or pair of letters with what a scanner may take it for."""
    table: dict[str, list[str]] = {}
    for line in read_lines("ocr.txt"):
        seen, _, read = line.partition(":")
        table[seen.strip()] = read.split()
    return table
