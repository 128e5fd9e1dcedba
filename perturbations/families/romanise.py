"""Rule-based romanisation of Hindi as people type it: without vowel length marks or silent vowels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random
from unicodedata import normalize

from holdfast.language.text import Span, count_words
from holdfast.language.word_tables import read_json
from holdfast.perturbations.choose import choose, edit_count
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_words, protected_spans


@perturbation("romanise", family="language", light=0.30, heavy=1.00, units=count_words)
def romanise(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Write Devanagari words in Latin letters; a text without Devanagari is unchanged.

    Numbers are kept, but the unit after a number is romanised with the rest ("7 बजे", "7 baje").

    >>> romanise("नमस्ते, यह किताब किसने लिखी?", 1.0, Random(1)).text
    'namaste, yah kitab kisne likhi?'
    """
    total, spans = free_words(text, protect)
    spans = sorted([*spans, *_units(text, protect)])
    found = [(start, end, latin) for start, end in spans if (latin := in_latin(text[start:end]))]
    chosen = choose(found, edit_count(strength, total), rng)
    return Edits(text, tuple([Edit(start, text[start:end], latin) for start, end, latin in chosen]))


_UNIT = re.compile("(?<=\\d[ \u00a0])[\u0900-\u0963]+(?![\\w\u0900-\u0963])")


def _units(text: str, protect: Sequence[str]) -> list[Span]:
    """Return the Devanagari units after numbers, which only this perturbation may change."""
    found = []
    for start, end in protected_spans(text):
        unit = _UNIT.search(text, start, end) if text[start].isdigit() else None
        if unit and unit.end() == end and not any(unit[0] in literal for literal in protect):
            found.append(unit.span())
    return found


@dataclass
class _Syllable:
    """Consonants and the vowel they carry; `silent` marks an inherent a that is not pronounced."""

    consonants: list[str]
    vowel: str
    written: str  # the vowel sign in Devanagari; "" for the inherent a
    nasal: bool = False
    silent: bool = False

    @property
    def spoken(self) -> bool:
        return bool(self.vowel) and not self.silent

    @property
    def has_free_a(self) -> bool:
        return not self.written and not self.nasal and self.spoken and bool(self.consonants)


@lru_cache(maxsize=20_000)
def in_latin(word: str) -> str:
    """Return `word` in Latin letters as Hinglish writers spell it, or "" unless it is entirely Devanagari.

    The inherent a is silent at the end of a word and, from right to left, between a vowel with one consonant and one
    consonant with a vowel (the schwa deletion rule of Ohala 1983). It is pronounced after a cluster ending in y, r, l
    or v.

    >>> [in_latin(word) for word in "नमस्ते किताब हिन्दी राजधानी मित्र लड़का चाहिए में मुंबई समझना ठीक".split()]
    ['namaste', 'kitab', 'hindi', 'rajdhani', 'mitra', 'ladka', 'chahiye', 'mein', 'mumbai', 'samajhna', 'theek']
    """
    found = _syllables(normalize("NFC", word).replace("\u200c", "").replace("\u200d", ""))
    if not found:
        return ""
    _mark_silent_vowels(found)
    return _spell(found)


_LETTER = re.compile("[क-हळ]़?|[\u0904-\u0914]|[\u093e-\u094c]|[\u0901\u0902\u0903\u093d\u094d]")


def _syllables(word: str) -> list[_Syllable]:
    """Return the syllables of `word` in order; empty if it contains anything but Devanagari letters."""
    table = _table()
    found: list[_Syllable] = []
    joins = False  # after a virama: the next consonant belongs to the same syllable
    at = 0
    while at < len(word):
        match = _LETTER.match(word, at)
        if not match:
            return []
        letter, at = match[0], match.end()
        if letter in table["consonants"]:
            if joins and found:
                found[-1].consonants.append(table["consonants"][letter])
                found[-1].vowel = "a"
            else:
                found.append(_Syllable([table["consonants"][letter]], "a", ""))
            joins = False
        elif letter in table["signs"] and found and not found[-1].written:
            found[-1].vowel, found[-1].written = table["signs"][letter], letter
        elif letter in table["vowels"]:
            found.append(_Syllable([], table["vowels"][letter], letter))
        elif letter == "\u094d" and found and not found[-1].written:
            found[-1].vowel, joins = "", True
        elif letter in "\u0901\u0902" and found:
            found[-1].nasal = True
        elif letter not in "\u0903\u093d":
            return []
    return found


def _mark_silent_vowels(syllables: list[_Syllable]) -> None:
    """Mark each inherent a that is not pronounced."""
    if len(syllables) > 1 and syllables[-1].has_free_a:
        last, before = syllables[-1], syllables[-2]
        cluster_heard = len(last.consonants) > 1 and last.consonants[-1] in "yrlv"
        last.silent = not cluster_heard and not (last.consonants == ["y"] and before.vowel in ("i", "e"))
    for at in range(len(syllables) - 2, 0, -1):
        before, this, after = syllables[at - 1 : at + 2]
        single = len(this.consonants) == 1 and len(after.consonants) == 1
        if this.has_free_a and single and before.spoken and after.spoken:
            this.silent = True


def _spell(syllables: list[_Syllable]) -> str:
    """Spell the syllables in Latin letters, following common typing habits."""
    closed = len(syllables) == 2 and syllables[1].silent  # one pronounced syllable ending in a consonant
    alone = len(syllables) == 1 and syllables[0].nasal
    pieces = []
    for at, syllable in enumerate(syllables):
        consonants = _cluster(syllable.consonants, first=at == 0, long_a=syllable.written == "ा")
        vowel = "" if syllable.silent else syllable.vowel
        if at == 0 and (closed or (alone and vowel == "a") or (syllable.written == "आ" and _is_bare(syllables[1:2]))):
            vowel = _table()["long"].get(syllable.written, vowel)
        elif at > 0 and not syllable.consonants and _glides(syllables[at - 1], vowel, short=len(syllables) == 2):
            vowel = f"y{vowel}"
        following = syllables[at + 1].consonants[0] if at + 1 < len(syllables) and syllables[at + 1].consonants else ""
        if syllable.nasal:
            if vowel == "e" and not following:
                vowel = "ei"
            vowel += "m" if following[:1] in ("p", "b", "f", "m") else "n"
        pieces.append(consonants + vowel)
    return "".join(pieces)


def _is_bare(following: list[_Syllable]) -> bool:
    return bool(following) and not following[0].consonants


def _glides(before: _Syllable, vowel: str, *, short: bool) -> bool:
    """Return whether a y is pronounced and typed between two vowels: in gaye, liye, nayi, but not in bhai."""
    return (vowel == "e" and before.vowel in ("a", "i")) or (vowel == "i" and short and not before.written)


def _cluster(consonants: list[str], *, first: bool, long_a: bool) -> str:
    cluster = "".join(consonants)
    if cluster.endswith("v") and (len(consonants) > 1 or (first and long_a)):
        cluster = cluster[:-1] + "w"
    for plain, typed in (("jn", "gy"), ("chchh", "cch"), ("chch", "cch")):
        cluster = cluster.replace(plain, typed)
    return cluster


@cache
def _table() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = read_json("devanagari.json", "holdfast.perturbations")
    return {name: {normalize("NFC", key): value for key, value in table.items()} for name, table in tables.items()}
