"""Synonyms for a word, inflected to fit its form and its context."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from unicodedata import normalize

from holdfast.errors import UserError
from holdfast.language import senses, wordnet
from holdfast.language.grammar import fits_article, match_case, may_be_capitalised, part_of_speech, word_after
from holdfast.language.hinglish import hinglish
from holdfast.language.inflection import forms
from holdfast.language.lexicon_tables import THESAURUS
from holdfast.language.word_tables import read_lines

SETTING = "HOLDFAST_THESAURUS"
EMBEDDED = "embedded"


def source() -> str:
    """Return the source of synonyms on this machine.

    The embedded table takes precedence; words it does not list are looked up in WordNet if its files are installed. Two
    machines with the same source produce the same variants. The environment variable HOLDFAST_THESAURUS overrides the
    default: `embedded` ignores WordNet, `wordnet` requires it.

    Returns:
        "embedded", or the version and digest of the installed WordNet.

    Raises:
        UserError: If HOLDFAST_THESAURUS has an unknown value, or requires a WordNet that is not installed.
    """
    return wordnet.version() if uses_wordnet() else EMBEDDED


def uses_wordnet() -> bool:
    """Return whether words that the table does not list are looked up in WordNet.

    Raises:
        UserError: See `source`.
    """
    setting = os.environ.get(SETTING, "")
    if setting not in ("", "embedded", "wordnet"):
        raise UserError(f"{SETTING} is '{setting}'; set it to embedded or wordnet, or unset it")
    found = setting != "embedded" and wordnet.find_wordnet() is not None
    if setting == "wordnet" and not found:
        raise UserError(
            f"{SETTING}=wordnet needs WordNet's files, which were not found: install Debian's wordnet-base or nltk's "
            "wordnet data, or set it to embedded"
        )
    return found


# These words change the sense of a verb or adjective before them: look for, rich in, provided that.
_BINDING = frozenset(
    "about after apart at away back by down for from in into of off on out over that through to together up "
    "with".split()
)


@dataclass
class Entry:
    """Replacements of one word form.

    Attributes:
        by_part: Replacements by part of speech.
        doubtful: Parts of speech that apply only if the context confirms them.
        hindi: Whether the word comes from a Hindi or Hinglish table.
    """

    by_part: dict[str, list[str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    hindi: bool = False

    def replacements(self, part: str) -> tuple[str, list[str]]:
        """Return the replacements for the form used as `part`, and the part of speech they have.

        If `part` is "" (unknown), only replacements valid for every listed part of speech are returned; none if the
        form also has parts of speech that are not listed.
        """
        if part in self.by_part:
            return part, self.by_part[part]
        if self.doubtful and len(self.by_part) == 1:
            return "", []
        first, *others = self.by_part.values()
        return next(iter(self.by_part)), [word for word in first if all(word in other for other in others)]


# Hindi light verbs, which turn the English word before them into a verb.
_LIGHT = frozenset(
    "kar karo karna karne karni kare karein karta karti karte karke kiya kiye kijiye ho hota hoti hote hua hui hona "
    "krdo kardo krna de dena do lo".split()
)
_FREE_OF_PARTICLES = ("noun", "adv", "other", "never")


def alternatives(text: str, start: int, end: int, *, further: bool, mixed: bool = False) -> list[str]:
    """Return the synonyms of the word `text[start:end]`, capitalised like it.

    Args:
        further: Whether to look up words missing from the table in WordNet; pass `uses_wordnet()`, evaluated once per
            text.
        mixed: Whether the text mixes English and Hindi. Words that exist in both languages are then skipped, and so are
            English words that are fixed expressions in Hindi ("suggest karo").

    Returns:
        The synonyms; empty for unlisted words, names, and words whose sense is unclear.

    >>> text = "He chose an easy path, but Rich looked for Big Ben."
    >>> [alternatives(text, start, end, further=False) for start, end in ((3, 8), (12, 16), (27, 31))]
    [['selected'], [], []]
    """
    word = text[start:end]
    lower = word.lower()
    entry = synonym_table().get(lower if lower.isascii() else normalize("NFC", lower))
    if not entry and not (further and not mixed and lower.isascii() and senses.has_replacements(lower)):
        return []
    if (mixed or not lower.isascii()) and lower in hinglish("homographs"):
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
    """Return each form of each listed word with its replacements.

    An ambiguous form ("bought" is both past tense and participle) keeps only replacements that have the same ambiguity.
    """
    table: dict[str, Entry] = {}
    for name in THESAURUS:
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
    """Parse `a = b` (both directions) or `a > b, c` (one direction) into words with their replacements."""
    if ">" in entry:
        word, _, others = entry.partition(">")
        return [(word.strip(), [other.strip() for other in others.split(",")])]
    group = [word.strip() for word in entry.split("=")]
    return [(word, [other for other in group if other != word]) for word in group]


def _in_slots(word_forms: Sequence[str | None], slots: Sequence[int]) -> str | None:
    """Return the form that fills all `slots`; None if they differ."""
    found = {word_forms[slot] for slot in slots}
    return found.pop() if len(found) == 1 else None
