"""Character noise: typing errors, lost characters, flipped case."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random

from holdfast.language.keyboards import keyboard_of
from holdfast.language.marks import CharacterClass, inner
from holdfast.language.text import LETTERS, count_characters, take
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import choose_marked, choose_nonadjacent, edit_count, wheel
from holdfast.perturbations.edits import Columns, Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_clusters


@perturbation("typos", family="characters", light=0.02, heavy=0.08, units=count_characters)
def typos(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Mistype letters as people do: omit, replace, double or swap them, or hit a neighbouring key as well.

    The kinds of error are as frequent as among real single-edit misspellings, where the first letter of a word is
    nearly always right and the last one mostly. Errors never touch each other. The keyboard is guessed from the text
    (see `keyboard_of`); letters of scripts without a known keyboard are only omitted, doubled and swapped. Devanagari
    and other scripts with combining characters are changed by whole grapheme clusters.

    >>> typos("please summarise the dialogue", 0.1, Random(4)).text
    'please summarise te doalouge'
    """
    starts, clusters = free_clusters(text, protect)
    letters = LETTERS.marks(clusters)
    chosen = choose_nonadjacent(inner(letters), letters, edit_count(strength, len(letters)), rng)
    keyboard = keyboard_of(text)
    padded = (
        clusters + "\0" if isinstance(clusters, str) else [*clusters, "\0"]
    )  # the NUL represents both sides of the text
    edits = []
    chances = zip(rng.randbytes(len(chosen)), rng.randbytes(len(chosen)), strict=True)
    for place, after, (kind, key) in zip(chosen, [*chosen[1:], 0], chances, strict=False):
        for slip in _FROM[kind]:
            if slip is _swap and after == place + 2:
                continue  # it would touch the next error
            if typed := slip(padded[place - 1], padded[place], padded[place + 1], keyboard, key):
                edits.append((starts[place], *typed))
                break
    return Edits(text, edits)


Slip = Callable[[str, str, str, Mapping[str, str], int], tuple[str, str] | None]
"""`(before, letter, after, keyboard, key) -> (intended, typed)`, where `key` is a random byte that picks a key.

None if this kind of error is impossible: omission needs a neighbouring letter (so that no word disappears), and a
doubled or inserted letter must differ from its neighbour (so that no omission nearby can undo it). Omission or doubling
is always possible."""


def _drop(before: str, letter: str, after: str, keyboard: Mapping[str, str], key: int) -> tuple[str, str] | None:
    return (letter, "") if after[0].isalpha() or before[0].isalpha() else None


def _replace(before: str, letter: str, after: str, keyboard: Mapping[str, str], key: int) -> tuple[str, str] | None:
    """Replace one character of the cluster with its neighbour on the keyboard."""
    if near := keyboard.get(letter):
        return letter, near[key % len(near)]
    known = [at for at, character in enumerate(letter) if character in keyboard]
    if not known:
        return None
    place = known[key % len(known)]
    near = keyboard[letter[place]]
    return letter, letter[:place] + near[key // len(known) % len(near)] + letter[place + 1 :]


def _double(before: str, letter: str, after: str, keyboard: Mapping[str, str], key: int) -> tuple[str, str] | None:
    return (letter, letter + letter) if letter not in (before, after) else None


def _insert(before: str, letter: str, after: str, keyboard: Mapping[str, str], key: int) -> tuple[str, str] | None:
    near = keyboard.get(letter, "").replace(after, "")
    return (letter, letter + near[key % len(near)]) if near else None


def _swap(before: str, letter: str, after: str, keyboard: Mapping[str, str], key: int) -> tuple[str, str] | None:
    return (letter + after, after + letter) if after[0].isalpha() and after != letter else None


# Shares, in 256ths, of omission, substitution, doubling, other insertion and transposition among the 3,468 single-edit
# misspellings in Wikipedia's list of common misspellings. A random byte picks the kind; if that is impossible, the
# kinds after it are tried in turn.
_SLIPS: tuple[Slip, ...] = (_drop, _replace, _double, _insert, _swap)
_SHARES = (105, 59, 20, 34, 38)
_FROM = [(_SLIPS + _SLIPS)[first : first + len(_SLIPS)] for first, share in enumerate(_SHARES) for _ in range(share)]


@perturbation("char_deletion", family="characters", light=0.02, heavy=0.08, units=count_characters)
def char_deletion(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop letters, as a worn keyboard or a bad transmission does. At least one letter is kept.

    >>> char_deletion("what is the tallest mountain?", 0.1, Random(4)).text
    'what is the talles montan?'
    """
    starts, clusters = free_clusters(text, protect)
    letters = LETTERS.marks(clusters)
    chosen = choose_marked(letters, edit_count(strength, len(letters)), rng)
    if len(chosen) == letters.count(1):
        chosen = chosen[1:]
    return Edits(text, Columns(take(starts, chosen), take(clusters, chosen), [""] * len(chosen)))


@perturbation("case", family="characters", light=0.05, heavy=0.30, units=count_characters)
def case(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Flip letters between upper and lower case, as a sticky shift key does.

    Letters whose other case is longer (ß) or doesn't exist (most scripts) are kept.

    >>> case("who wrote Hamlet?", 0.2, Random(1)).text
    'who wRoTe HamlEt?'
    """
    starts, clusters = free_clusters(text, protect)
    chosen = choose_marked(_CASED.marks(clusters), edit_count(strength, len(clusters)), rng)
    removed = take(clusters, chosen)
    return Edits(text, Columns(take(starts, chosen), removed, [*map(str.swapcase, removed)]))


def _has_other_case(letter: str) -> bool:
    other = letter.swapcase()
    return letter[0].isalpha() and other != letter and len(other) == len(letter)


_CASED = CharacterClass(_has_other_case)


@perturbation("ocr", family="characters", light=0.02, heavy=0.08, units=count_characters)
def ocr(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Misread letters as a scanner does: l for 1, O for 0, m for rn, d for cl, and vice versa.

    A pair read as one letter is one edit, and no two edits touch.

    >>> ocr("modern clients will learn", 0.2, Random(3)).text
    'rnodcrn chents w1ll leorn'
    """
    starts, clusters = free_clusters(text, protect)
    table = _misreadings()
    marks = _misread().marks(clusters)
    if isinstance(clusters, str):
        marks = _with_pairs(marks, clusters)
    chosen = choose_nonadjacent(marks, marks, edit_count(strength, len(marks)), rng)
    edits = []
    for place, byte in zip(chosen, rng.randbytes(len(chosen)), strict=True):
        source = clusters[place]
        pair = source + clusters[place + 1] if place + 1 < len(clusters) else source
        if pair in table:
            source = pair
        edits.append((starts[place], source, table[source][byte]))
    return Edits(text, edits)


def _with_pairs(marks: bytes, text: str) -> bytes:
    """Also mark each pair of letters that is read as one letter although its first letter alone is not misread."""
    marked = bytearray(marks)
    for pair in _further_pairs():
        at = text.find(pair)
        while at >= 0:
            marked[at] = 1
            at = text.find(pair, at + 1)
    return bytes(marked)


@cache
def _further_pairs() -> list[str]:
    table = _misreadings()
    return [pair for pair in table if len(pair) == 2 and pair[0] not in table]


@cache
def _misread() -> CharacterClass:
    return CharacterClass(_misreadings().__contains__)


@cache
def _misreadings() -> dict[str, list[str]]:
    """Return each letter or pair of letters with a wheel of possible misreadings."""
    table: dict[str, list[str]] = {}
    for line in read_lines("ocr.txt", "holdfast.perturbations"):
        seen, _, read = line.partition(":")
        table[seen.strip()] = wheel(read.split())
    return table
