"""Code-switching between English and Hindi within a sentence, as bilingual writers do."""

from collections.abc import Sequence
from functools import cache
from random import Random
from unicodedata import normalize

from holdfast.language.detection import language_of
from holdfast.language.grammar import fits_article, match_case, may_be_capitalised, part_of_speech, word_before
from holdfast.language.hinglish import hinglish, is_mixed
from holdfast.language.text import count_words
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import edit_count, replace_where
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_words


@perturbation("code_switch", family="language", light=0.10, heavy=0.40, units=count_words)
def code_switch(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Replace English words with Hindi ones in Latin letters, or words of a Hindi or Hinglish text with English ones.

    Nouns and adjectives are replaced, in English also adverbs and conjunctions; verbs and pronouns are kept, as is
    usual in code-switching. Plurals stay plural, and names are kept. Texts in other languages are unchanged (see
    `code_switch_de`, `_fr` and `_es`), and so are words with different meanings in Hindi and English (main, kar, sun)
    if the text mixes both.

    >>> code_switch("What is the capital of the biggest country in the world?", 0.3, Random(1)).text
    'What is the rajdhani of the biggest desh in the duniya?'
    >>> code_switch("भारत की राजधानी क्या है?", 0.3, Random(1)).text
    'भारत की capital क्या है?'
    """
    language = language_of(text)
    if language not in ("en", "hi", "hi-Latn"):
        return Edits(text)
    total, spans = free_words(text, protect)
    table = _table(language)
    doubtful = hinglish("homographs") if language != "en" or is_mixed(text) else frozenset()
    spans = [
        (start, end)
        for start, end in spans
        if (word := text[start:end].lower()) not in doubtful and (word in table or not word.isascii())
    ]
    return replace_where(
        text, spans, edit_count(strength, total), rng, lambda start, end: _translate(text, start, end, language)
    )


def in_english(text: str) -> str:
    """Put the listed Hindi words of a text, in either script, into English, word by word; others stay.

    >>> in_english("लाल किताब"), in_english("laal kitaab")
    ('red book', 'red book')
    """
    return " ".join(_english(word) for word in text.lower().split())


def _english(word: str) -> str:
    found = (_table(language).get(normalize("NFC", word)) for language in ("hi", "hi-Latn"))
    return next((english for english, _ in filter(None, found)), word)


def _translate(text: str, start: int, end: int, language: str) -> str:
    """Return the counterpart of the word `text[start:end]`; "" for unlisted words, names and unclear cases."""
    word = text[start:end]
    lower = word.lower()
    other, required_part = _table(language).get(lower if lower.isascii() else normalize("NFC", lower), ("", ""))
    if not other or other == lower:
        return ""
    if word != lower and not may_be_capitalised(text, start, end):
        return ""
    if language == "en" and (not fits_article(text, start, other) or word_before(text, start) == "how"):
        return ""
    if required_part and part_of_speech(text, start, end) != required_part:
        return ""
    return match_case(word, other)


_BOTH_DIRECTIONS = ("noun", "noun?", "adj")
_NEEDS_CONTEXT = ("noun?", "adj")


@cache
def _table(language: str) -> dict[str, tuple[str, str]]:
    """Return each word of `language` with its counterpart and the part of speech its context must show ("": any)."""
    table: dict[str, tuple[str, str]] = {}
    for line in read_lines("code_switch_hi.txt", "holdfast.perturbations"):
        kind, _, entry = line.partition(":")
        if kind not in _BOTH_DIRECTIONS and language != "en":
            continue
        english, latin, hindi = ([form.strip() for form in side.split("/")] for side in entry.split("="))
        own, others = {"en": (english, latin), "hi-Latn": (latin, english), "hi": (hindi, english)}[language]
        required_part = kind.removesuffix("?") if kind in _NEEDS_CONTEXT and language == "en" else ""
        for at, form in enumerate(own):
            if at > 0 and form.endswith(("े", "e")) and language != "en":
                continue  # the plural in -e is also the oblique singular
            table.setdefault(normalize("NFC", form), (others[min(at, len(others) - 1)], required_part))
    return table
