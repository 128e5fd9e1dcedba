"""Unicode noise: text that looks the same but consists of different characters to the tokenizer."""

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import repeat
from random import Random
from string import ascii_letters
from unicodedata import category, name, normalize

from holdfast.language.marks import CharacterClass, followers
from holdfast.language.text import LETTERS, count_characters, take
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import choose_marked, edit_count, spin, wheel
from holdfast.perturbations.edits import Columns, Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_clusters


@perturbation("confusables", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def confusables(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace letters with look-alikes from other scripts (Latin a with Cyrillic а).

    >>> changed = confusables("open the archive", 0.1, Random(1))
    >>> changed.text, [f"U+{ord(edit.inserted):04X}" for edit in changed.edits]
    ('open thе archiνe', ['U+0435', 'U+03BD'])
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(_has_look_alikes().marks(seen), edit_count(strength, len(seen)), rng)
    removed = take(seen, chosen)
    inserted = spin(map(_look_alikes().__getitem__, removed), len(removed), rng)
    return Edits(text, Columns(take(starts, chosen), removed, inserted))


@cache
def _has_look_alikes() -> CharacterClass:
    return CharacterClass(_look_alikes().__contains__)


_DISTINGUISHABLE = frozenset("ӏϱҽռզϒ")  # listed as confusable but easy to tell apart
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")


@cache
def _look_alikes() -> dict[str, list[str]]:
    """Return each letter of `_SCRIPTS` with a wheel of the letters in other scripts that Unicode calls confusable.

    Only single letters of the same case qualify, so the shape is preserved and the cluster stays one cluster.
    """
    from confusable_homoglyphs.confusables import confusables_data

    table: dict[str, list[str]] = {}
    for letter, others in confusables_data.items():
        script, cased = _script(letter), category(letter) if len(letter) == 1 else ""
        if script:
            alike = [other["c"] for other in others if _script(other["c"]) not in ("", script)]
            table[letter] = sorted(
                other for other in alike if category(other) == cased and other not in _DISTINGUISHABLE
            )
    return {letter: wheel(alike) for letter, alike in table.items() if alike}


def _script(letter: str) -> str:
    """Return the script in `_SCRIPTS` of a cased letter, by its Unicode name; "" for any other string."""
    if len(letter) != 1 or category(letter) not in ("Lu", "Ll"):
        return ""
    first = name(letter, "").split(" ")[0]
    return first if first in _SCRIPTS else ""


@perturbation("fullwidth", family="unicode", light=0.05, heavy=0.30, units=count_characters)
def fullwidth(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace Latin letters with their full-width forms, as East Asian input methods type them.

    >>> fullwidth("open the archive", 0.3, Random(1)).text
    'ｏpen ｔｈｅ archiｖe'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(_NARROW.marks(seen), edit_count(strength, len(seen)), rng)
    removed = take(seen, chosen)
    return Edits(text, Columns(take(starts, chosen), removed, [*map(_WIDE.__getitem__, removed)]))


_WIDE = {letter: chr(ord(letter) + 0xFEE0) for letter in ascii_letters}
_NARROW = CharacterClass(_WIDE.__contains__)


@perturbation("zero_width", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def zero_width(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Insert zero-width characters inside words, as in text copied from web pages.

    Uses only independent characters (zero width space, word joiner, byte order mark): the joiners U+200C and U+200D
    would change letters of Indic and Arabic scripts, and emoji.

    >>> zero_width("open the archive", 0.1, Random(1)).text.encode("unicode_escape")
    b'open th\\\\u200be archi\\\\ufeffve'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(followers(LETTERS.marks(seen)), edit_count(strength, len(seen)), rng)
    nothing = [""] * len(chosen)
    return Edits(text, Columns(take(starts, chosen), nothing, spin(repeat(_ZERO_WIDTH), len(chosen), rng)))


_ZERO_WIDTH = wheel("\u200b\u2060\ufeff")


@perturbation("accents", family="unicode", light=0.02, heavy=0.10, units=count_characters)
def accents(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Drop, add and confuse the accents on Latin letters: e for é, è for é, ö for o.

    About half of the accented letters chosen lose their accent.

    >>> accents("Où est la bibliothèque fermée ?", 0.15, Random(1)).text
    'Ôù est la biblíothèqüe fërmêe ?'
    """
    starts, seen = free_clusters(text, protect)
    chosen = choose_marked(_ACCENTABLE.marks(seen), edit_count(strength, len(seen)), rng)
    removed = take(seen, chosen)
    return Edits(text, Columns(take(starts, chosen), removed, spin(map(_accent_variants, removed), len(removed), rng)))


@lru_cache(maxsize=4096)
def _accent_variants(cluster: str) -> list[str]:
    """Return a wheel of replacements for a Latin letter (half of them bare, if it has an accent); empty for others."""
    letter = normalize("NFC", cluster)
    if letter in _accent_table():
        return _accent_table()[letter]
    bare = normalize("NFD", letter)[0]
    return wheel([bare]) if bare != letter and bare.isascii() and bare.isalpha() else []


@cache
def _accent_table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    lines = read_lines("accents.txt", "holdfast.perturbations")
    for line in [*lines, *map(str.upper, lines)]:
        if ">" in line:
            letter, bare = line.split(" > ")
            table[letter] = wheel([bare])
        else:
            bare, accented = line[0], line[2:].split()
            table[bare] = wheel(accented)
            for letter in accented:
                others = [other for other in accented if other != letter]
                table[letter] = wheel([bare] * max(1, len(others)) + others)
    return table


_ACCENTABLE = CharacterClass(lambda cluster: bool(_accent_variants(cluster)))
