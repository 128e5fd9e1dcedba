"""Words of another language within the sentence, as people write who speak both."""

from collections.abc import Sequence
from functools import cache
from random import Random
from unicodedata import normalize

from holdfast.language.grammar import fits_article, match_case, may_be_capitalised, part_of_speech, word_before
from holdfast.language.languages import homographs, is_mixed, language_of
from holdfast.language.text import count_words
from holdfast.language.word_tables import read_lines
from holdfast.perturbations.choose import choose_where, edit_count
from holdfast.perturbations.edits import Edits, Row
from holdfast.perturbations.perturbation import perturbation
from holdfast.perturbations.protected import free_words


@perturbation("code_switch", family="language", light=0.10, heavy=0.40, units=count_words)
def code_switch(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Put Hindi words into an English text, in Latin letters (Hinglish); English words into a Hindi or Hinglish one.

    Nouns and adjectives change, in English also adverbs and conjunctions; verbs and pronouns carry the sentence on, as
    bilingual writers have it. A plural stays a plural, and names stay. In other languages nothing changes (see
    `code_switch_de`, `_fr` and `_es`), and neither do words that mean one thing in Hindi and another in English (main,
    kar, sun), where both are mixed.

    >>> code_switch("What is the capital of the biggest country in the world?", 0.3, Random(1)).text
    'What is the rajdhani of the biggest desh in the duniya?'
    >>> code_switch("भारत की राजधानी क्या है?", 0.3, Random(1)).text
    'भारत की capital क्या है?'
    """
    language = language_of(text)
    if not language:
        return Edits(text)
    total, spans = free_words(text, protect)
    table = _table(language)
    doubtful = homographs() if language != "en" or is_mixed(text) else frozenset()
    edits: dict[int, Row] = {}

    def has_counterpart(index: int) -> bool:
        start, end = spans[index]
        if other := _other_word(text, start, end, language):
            edits[index] = start, text[start:end], other
        return bool(other)

    spans = [
        (start, end)
        for start, end in spans
        if (word := text[start:end].lower()) not in doubtful and (word in table or not word.isascii())
    ]
    chosen = choose_where(len(spans), edit_count(strength, total), rng, has_counterpart)
    return Edits(text, [edits[index] for index in chosen])


def _other_word(text: str, start: int, end: int, language: str) -> str:
    """What the other language says for the word `text[start:end]`; "" for unlisted words, names and doubtful cases."""
    word = text[start:end]
    lower = word.lower()
    other, needs = _table(language).get(lower if lower.isascii() else normalize("NFC", lower), ("", ""))
    if not other or other == lower:
        return ""
    if word != lower and not may_be_capitalised(text, start, end):
        return ""
    if language == "en" and (not fits_article(text, start, other) or word_before(text, start) == "how"):
        return ""
    if needs and part_of_speech(text, start, end) != needs:
        return ""
    return match_case(word, other)


_GOES_BOTH_WAYS = ("noun", "noun?", "adj")
_NEEDS_ITS_PLACE = ("noun?", "adj")


@cache
def _table(language: str) -> dict[str, tuple[str, str]]:
    """Each word of `language` with its counterpart and the part of speech that its neighbours must show ("": any)."""
    table: dict[str, tuple[str, str]] = {}
    for line in read_lines("code_switch_hi.txt", "holdfast.perturbations"):
        kind, _, entry = line.partition(":")
        if kind not in _GOES_BOTH_WAYS and language != "en":
            continue
        english, latin, hindi = ([form.strip() for form in side.split("/")] for side in entry.split("="))
        own, others = {"en": (english, latin), "hi-Latn": (latin, english), "hi": (hindi, english)}[language]
        needs = kind.removesuffix("?") if kind in _NEEDS_ITS_PLACE and language == "en" else ""
        for at, form in enumerate(own):
            if at > 0 and form.endswith(("े", "e")) and language != "en":
                continue  # the plural in -e is also the singular before a postposition
            table.setdefault(normalize("NFC", form), (others[min(at, len(others) - 1)], needs))
    return table
