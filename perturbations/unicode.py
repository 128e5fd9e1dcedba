"""Unicode noise: the same to the eye, another character to the tokenizer."""

from collections.abc import Sequence
from functools import cache, lru_cache
from random import Random
from unicodedata import category, name, normalize

from holdfast.perturbations.choose import choose_marked, edit_count
from holdfast.perturbations.marks import Kind, followers
from holdfast.perturbations.protected import free_clusters
from holdfast.perturbations.registry import perturbation
from holdfast.perturbations.tables import read_lines
from holdfast.perturbations.text import LETTERS, count_characters
from holdfast.perturbations.types import Edit, Edits


@perturbation("confusables", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def confusables(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace letters by look-alikes of other scripts (Latin a by Cyrillic а).

    >>> changed = confusables("open the archive", 0.1, Random(1))
    >>> changed.text, [f"U+{ord(edit.inserted):04X}" for edit in changed.edits]
    ('opеn the archιve', ['U+0435', 'U+1FBE'])
    """
    starts, seen = free_clusters(text, protect)
    table = _look_alikes()
    chosen = choose_marked(_has_look_alikes().marks(seen), edit_count(strength, len(seen)), rng)
    return Edits(text, tuple([Edit(starts[at], seen[at], rng.choice(table[seen[at]])) for at in chosen]))


@cache
def _has_look_alikes() -> Kind:
    return Kind(_look_alikes().__contains__)


_TOLD_APART = frozenset("ӏϱҽռզϒ")  # in the table, yet easily seen for what they are
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


@cache
def _look_alikes() -> dict[str, list[str]]:
    """Each letter of `_SCRIPTS` with the letters of the others that Unicode's table calls confusable with it.

    Only letters for single letters of the same case, so that the shape is the same and the cluster stays one.
    """
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, list[str]] = {}
    for letter, others in confusables_data.items():
        script, cased = _script(letter), category(letter) if len(letter) == 1 else ""
        if script:
            alike = [other["c"] for other in others if _script(other["c"]) not in ("", script)]
            table[letter] = sorted(other for other in alike if category(other) == cased and other not in _TOLD_APART)
    return {letter: alike for letter, alike in table.items() if alike}


def _script(letter: str) -> str:
    """Which of `_SCRIPTS` a single upper or lower case letter belongs to, by its Unicode name; "" for all else."""
    if len(letter) != 1 or category(letter) not in ("Lu", "Ll"):
        return ""
    first = name(letter, "").split(" ")[0]
    return first if first in _SCRIPTS else ""


@perturbation("fullwidth", family="unicode", light=0.05, heavy=0.30, units=count_characters)
def fullwidth(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace Latin letters by their full-width forms, as East Asian keyboards type them.

    >>> fullwidth("open the archive", 0.3, Random(1)).text
    'opｅn thｅ aｒcｈｉve'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(_NARROW.marks(seen), edit_count(strength, len(seen)), rng)
    return Edits(text, tuple([Edit(starts[at], seen[at], chr(ord(seen[at]) + _TO_FULLWIDTH)) for at in chosen]))


_NARROW = Kind(lambda cluster: cluster.isascii() and cluster.isalpha())
_TO_FULLWIDTH = 0xFEE0


@perturbation("zero_width", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def zero_width(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Hide characters of no width between the letters of words, as text copied from pages carries them.

    Only those that stand for themselves (zero width space, word joiner, byte order mark): the joiners U+200C and U+200D
    would change the letters of Indian and Arabic scripts and emoji.

    >>> zero_width("open the archive", 0.1, Random(1)).text.encode("unicode_escape")
    b'op\\\\u200ben the arch\\\\u2060ive'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(followers(LETTERS.marks(seen)), edit_count(strength, len(seen)), rng)
    return Edits(text, tuple([Edit(starts[at], "", rng.choice(_ZERO_WIDTH)) for at in chosen]))


_ZERO_WIDTH = "\u200b\u2060\ufeff"


@perturbation("accents", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def accents(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Lose, add and mistake the signs on Latin letters: e for é, è for é, ö for o. Half of those that stand are lost.

    >>> accents("Où est la bibliothèque fermée ?", 0.15, Random(1)).text
    'Óù est la biblióthèqúe férmêe ?'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(_ACCENTABLE.marks(seen), edit_count(strength, len(seen)), rng)
    return Edits(text, tuple([Edit(starts[at], seen[at], _otherwise_accented(seen[at], rng)) for at in chosen]))


def _otherwise_accented(cluster: str, rng: Random) -> str:
    bare, others = _accents_of(cluster)
    return bare if bare != cluster and (not others or rng.random() < 0.5) else rng.choice(others)


@lru_cache(maxsize=4096)
def _accents_of(cluster: str) -> tuple[str, list[str]]:
    """The Latin letter of `cluster` without its signs, and with others than it has; "" where it is none."""
    letter = normalize("NFC", cluster)
    if letter in _accent_table():
        return _accent_table()[letter]
    bare = normalize("NFD", letter)[0]
    return (bare, []) if bare != letter and bare.isascii() and bare.isalpha() else ("", [])


@cache
def _accent_table() -> dict[str, tuple[str, list[str]]]:
    table: dict[str, tuple[str, list[str]]] = {}
    lines = read_lines("accents.txt")
    for line in [*lines, *map(str.upper, lines)]:
        if ">" in line:
            letter, bare = line.split(" > ")
            table[letter] = bare, []
        else:
            bare, others = line[0], line[2:].split()
            table |= {letter: (bare, [other for other in others if other != letter]) for letter in (bare, *others)}
    return table


_ACCENTABLE = Kind(lambda cluster: _accents_of(cluster)[0] != "")
