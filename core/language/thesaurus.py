"""Which words may stand in for a word, in its form and its place in the text."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from unicodedata import normalize

from holdfast.errors import UserError
from holdfast.language import senses, wordnet
from holdfast.language.grammar import fits_article, match_case, may_be_capitalised, part_of_speech, word_after
from holdfast.language.inflection import forms
from holdfast.language.languages import homographs
from holdfast.language.word_tables import read_lines

SETTING = "HOLDFAST_THESAURUS"
EMBEDDED = "embedded"


def source() -> str:
    """Where synonyms come from on this machine: `embedded`, or the version and digest of its WordNet.

    The embedded table always speaks first; where WordNet's files are found, words that the table does not list are
    looked up there. So variants are the same on two machines if this is; the environment variable HOLDFAST_THESAURUS
    set to `embedded` leaves WordNet alone, `wordnet` insists on it.
    """
    return wordnet.version() if uses_wordnet() else EMBEDDED


def uses_wordnet() -> bool:
    """Whether words that the table does not list are looked up in WordNet."""
    setting = os.environ.get(SETTING, "")
    if setting not in ("", "embedded", "wordnet"):
        raise UserError(f"{SETTING} is '{setting}'; set it to embedded or wordnet, or leave it out")
    found = setting != "embedded" and wordnet.find_wordnet() is not None
    if setting == "wordnet" and not found:
        raise UserError(
            f"{SETTING} asks for WordNet, whose files are not here: install Debian's wordnet-base or nltk's wordnet "
            "data, or set it to embedded"
        )
    return found


# After a verb or an adjective these change its sense: look for, rich in, provided that.
_BINDING = frozenset(
    "about after apart at away back by down for from in into of off on out over that through to together up "
    "with".split()
)


@dataclass
class Entry:
    """What the table knows of one form: its replacements by part of speech, and which of these need a sure place."""

    by_part: dict[str, list[str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    hindi: bool = False

    def replacements(self, part: str) -> tuple[str, list[str]]:
        """What may stand for the form, used as `part` ("" if that is not known), and the part of speech it then has.

        Without a sure place a form keeps only what serves in all its parts of speech; nothing, if it has others that
        are not listed.
        """
        if part in self.by_part:
            return part, self.by_part[part]
        if self.doubtful and len(self.by_part) == 1:
            return "", []
        first, *others = self.by_part.values()
        return next(iter(self.by_part)), [word for word in first if all(word in other for other in others)]


# Hindi verbs that make a verb of the English word before them.
_LIGHT = frozenset(
    "kar karo karna karne karni kare karein karta karti karte karke kiya kiye kijiye ho hota hoti hote hua hui hona "
    "krdo kardo krna de dena do lo".split()
)
_FREE_OF_PARTICLES = ("noun", "adv", "other", "never")


def alternatives(text: str, start: int, end: int, *, further: bool, mixed: bool = False) -> list[str]:
    """What may stand for the word `text[start:end]`, written as that word is; [] for unlisted words and for names.

    `further` (`uses_wordnet()`, asked once for a text) says to look beyond the table; `mixed`, that the text mixes
    English and Hindi: then words of both are left alone, and so is English that is fixed in Hindi (suggest karo).

    >>> text = "He chose an easy path, but Rich looked for Big Ben."
    >>> [alternatives(text, start, end, further=False) for start, end in ((3, 8), (12, 16), (27, 31))]
    [['selected'], [], []]
    """
    word = text[start:end]
    lower = word.lower()
    entry = synonym_table().get(lower if lower.isascii() else normalize("NFC", lower))
    if not entry and not (further and not mixed and lower.isascii() and senses.has_replacements(lower)):
        return []
    if (mixed or not lower.isascii()) and lower in homographs():
        return []
    if mixed and entry and not entry.hindi and (set(entry.by_part) != {"noun"} or word_after(text, end) in _LIGHT):
        return []
    if word != lower and not may_be_capitalised(text, start, end):
        return []
    place = part_of_speech(text, start, end) if not entry or entry.doubtful else ""
    part, others = entry.replacements(place) if entry else senses.replacements(lower, place)
    if not others or (part not in _FREE_OF_PARTICLES and word_after(text, end) in _BINDING):
        return []
    if lower.isascii():
        others = [other for other in others if fits_article(text, start, other)]
    return [match_case(word, other) for other in others]


@cache
def synonym_table() -> dict[str, Entry]:
    """Each form of each listed word with what it may give way to.

    A form with two jobs (`bought`: past and participle) keeps only words whose one form does both.
    """
    table: dict[str, Entry] = {}
    for name in ("synonyms_en.txt", "synonyms_hi.txt", "synonyms_hinglish.txt"):
        for line in read_lines(name):
            kind, _, entry = line.partition(":")
            part = kind.removesuffix("?")
            if part == "never":
                table.update({form.strip(): Entry({part: []}) for form in entry.split(",")})
                continue
            for word, others in _directions(normalize("NFC", entry)):
                _enter(table, part, word, others, is_doubtful=kind != part, hindi=name != "synonyms_en.txt")
    return table


def _enter(
    table: dict[str, Entry], part: str, word: str, others: Sequence[str], *, is_doubtful: bool, hindi: bool
) -> None:
    own = forms(part, word)
    for form in filter(None, own):
        if "never" in table.get(form, Entry()).by_part:
            continue
        entry = table.setdefault(form, Entry(hindi=hindi))
        slots = [slot for slot, other in enumerate(own) if other == form]
        known = entry.by_part.setdefault(part, [])
        fitting = [_in_slots(forms(part, other), slots) for other in others]
        known += [other for other in fitting if other and other != form and other not in known]
        if is_doubtful and not form.endswith("ed"):
            entry.doubtful.add(part)


def _directions(entry: str) -> list[tuple[str, list[str]]]:
    """`a = b` both ways, `a > b, c` one way."""
    if ">" in entry:
        word, _, others = entry.partition(">")
        return [(word.strip(), [other.strip() for other in others.split(",")])]
    group = [word.strip() for word in entry.split("=")]
    return [(word, [other for other in group if other != word]) for word in group]


def _in_slots(word_forms: Sequence[str | None], slots: Sequence[int]) -> str | None:
    found = {word_forms[slot] for slot in slots}
    return found.pop() if len(found) == 1 else None
