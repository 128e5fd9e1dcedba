"""Code-switching between English and German, French or Spanish."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from unicodedata import normalize

from holdfast.language.detection import language_of
from holdfast.language.grammar import (
    fits_article,
    is_sentence_start,
    match_case,
    may_be_capitalised,
    part_of_speech,
    word_before,
)
from holdfast.language.text import count_words
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import edit_count, replace_where
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_words

_LANGUAGES = ("en", "de", "fr", "es")


@perturbation("code_switch_de", family="language", light=0.10, heavy=0.40, units=count_words)
def code_switch_de(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace words of an English text with German ones, or words of a German text with English ones.

    Nouns and function words such as "and" and "often" are replaced; plurals stay plural, and names are kept.

    >>> code_switch_de("Which river runs through the capital?", 0.3, Random(1)).text
    'Which Fluss runs through the Hauptstadt?'
    """
    return _switch(text, strength, rng, protect, "de")


@perturbation("code_switch_fr", family="language", light=0.10, heavy=0.40, units=count_words)
def code_switch_fr(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace words of an English text with French ones, or words of a French text with English ones.

    See `code_switch_de`.

    >>> code_switch_fr("Quelle est la capitale de ce pays ?", 0.3, Random(1)).text
    'Quelle est la capital de ce country ?'
    """
    return _switch(text, strength, rng, protect, "fr")


@perturbation("code_switch_es", family="language", light=0.10, heavy=0.40, units=count_words)
def code_switch_es(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace words of an English text with Spanish ones, or words of a Spanish text with English ones.

    See `code_switch_de`.

    >>> code_switch_es("Please open the window and the door.", 0.3, Random(1)).text
    'Por favor open the ventana and the door.'
    """
    return _switch(text, strength, rng, protect, "es")


def _switch(text: str, strength: float, rng: Random, protect: Sequence[str], language: str) -> Edits:
    counterpart = _counterpart_in(text, language)
    if counterpart is None:
        return Edits(text)
    total, spans = free_words(text, protect)
    return replace_where(
        text, spans, edit_count(strength, total), rng, lambda start, end: counterpart(text, start, end, language)
    )


Counterpart = Callable[[str, int, int, str], str]
"""`(text, start, end, language) -> str`: the counterpart of the word `text[start:end]`; "" for unlisted words, names
and unclear cases."""


def _counterpart_in(text: str, language: str) -> Counterpart | None:
    """Return how to translate words of `text`, which is in English or in `language`; None if it is in neither."""
    spoken = language_of(text)
    if spoken == "en":
        return _translate_from_english
    return _translate_into_english if spoken == language else None


def _translate_from_english(text: str, start: int, end: int, language: str) -> str:
    word = text[start:end]
    found = _from_english(language).get(word.lower())
    if found is None or (word != word.lower() and not may_be_capitalised(text, start, end)):
        return ""
    if found.needs_context and part_of_speech(text, start, end) != "noun":
        return ""
    other = match_case(word, found.other)
    return other if other.lower() != word.lower() and fits_article(text, start, found.other) else ""


def _translate_into_english(text: str, start: int, end: int, language: str) -> str:
    """Translate a word into English; a noun needs a capital in German and a determiner before it elsewhere."""
    word = normalize("NFC", text[start:end])
    found = _to_english(language).get(word if language == "de" else word.lower())
    if found is None or found.other.lower() == word.lower():
        return ""
    capital = word != word.lower()
    if not found.is_noun:
        return "" if capital else found.other
    if language == "de":
        return "" if is_sentence_start(text, start) else match_case(word, found.other)
    has_determiner = word_before(text, start) in _listed("determiners", language)
    return found.other if has_determiner and not capital else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """The counterpart of a word.

    Attributes:
        other: The word in the other language.
        is_noun: Whether the word is a noun.
        needs_context: Whether it is replaced only if its context shows a noun.
    """

    other: str
    is_noun: bool
    needs_context: bool


@cache
def _from_english(language: str) -> Mapping[str, Listed]:
    table: dict[str, Listed] = {}
    for kind, forms in _entries():
        for own, other in zip(forms["en"], forms[language], strict=True):
            table.setdefault(own, Listed(other, kind != "other", kind == "noun?"))
    return table


@cache
def _to_english(language: str) -> Mapping[str, Listed]:
    """Return the table from `language` to English, without ambiguous words (colour and color count as one)."""
    table: dict[str, Listed] = {}
    meant: dict[str, set[str]] = {}
    for kind, forms in _entries():
        for at, own in enumerate(forms[language]):
            if " " not in own:
                meant.setdefault(own, set()).add(forms["en"][0].replace("our", "or"))
                table.setdefault(own, Listed(forms["en"][at], kind != "other", needs_context=False))
    doubtful = _listed("ambiguous", language) | {own for own, senses in meant.items() if len(senses) > 1}
    return {own: found for own, found in table.items() if own not in doubtful}


@cache
def _entries() -> Sequence[tuple[str, Mapping[str, Sequence[str]]]]:
    """Return the part of speech and the forms in each language of every line."""
    lines = (line.partition(":") for line in read_lines(_FILE, "holdfast.perturbations") if "=" in line)
    return [
        (kind, {name: side.strip().split("/") for name, side in zip(_LANGUAGES, entry.split("="), strict=True)})
        for kind, _, entry in lines
    ]


@cache
def _listed(what: str, language: str) -> frozenset[str]:
    """Return the words on the line `what language: ...`."""
    lines = (line.partition(":") for line in read_lines(_FILE, "holdfast.perturbations") if "=" not in line)
    return frozenset(word for name, _, listed in lines if name == f"{what} {language}" for word in listed.split())


_FILE = "code_switch_european.txt"
