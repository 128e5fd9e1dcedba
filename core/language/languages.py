"""Detects the language of a prompt, as far as perturbations need it, from its script and function words."""

import re
from collections.abc import Container
from functools import cache

from holdfast.language.word_tables import read_lines

_SAMPLE = 2_000  # number of characters to examine
_DEVANAGARI = re.compile("[\u0904-\u0939]")
_LATIN = re.compile("[A-Za-z]")
_ACCENTED = re.compile("[À-ÖØ-öø-ɏḀ-ỿ]")
# Function words of English and of other languages in Latin script; ambiguous ones are left out.
_ENGLISH = frozenset(
    "the is are was were of and what who which when where how does did to for with this that it you my has have "
    "be from by at can will please not she they his her its we your or if there why".split()
)
_OTHER = frozenset(
    "der das ist und nicht ein eine mit von wie wer wo le les est une des dans qui que quel quelle el los las una "
    "por para cuál qué del di il che sono não uma het een dem den auf für sie ich wir im zu les du au aux où pour "
    "avec cette ce sur y cómo quién dónde cuándo son es en con gli della nel dove chi perché quando como quem onde "
    "os em do da jest czy jak nie się gdzie kto ve bir ne nerede kim için bu apa siapa yang dan adalah dengan "
    "är och att vad vem hur var och det er hvad hvem hvor van wat waar niet zijn".split()
) - frozenset("do ne kim es son dan van var en y di".split())
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str:
    """Return the language of a prompt: `hi`, `hi-Latn` (Hinglish), `en`, or "" for any other.

    A text in Latin letters without function words counts as English, unless many of its words have accents.

    >>> [language_of(text) for text in ["राजधानी क्या है?", "aaj mausam kaisa hai", "Who was it?", "Wer ist das?"]]
    ['hi', 'hi-Latn', 'en', '']
    """
    sample = text[:_SAMPLE]
    if not sample.isascii():
        latin = len(_LATIN.findall(sample))
        if len(_DEVANAGARI.findall(sample)) > latin / 2:
            return "hi"
        if 2 * latin < sum(map(str.isalpha, sample)):
            return ""
    if not _LATIN.search(sample):
        return ""
    found = _WORD.findall(sample.lower())
    hinglish, english, other = (sum(map(small.__contains__, found)) for small in (_hinglish(), _ENGLISH, _OTHER))
    if not _words("sure").isdisjoint(found):
        english = sum(word in _ENGLISH and word not in homographs() for word in found)
    if hinglish > max(english, other):
        return "hi-Latn"
    if not english and sum(map(bool, map(_ACCENTED.search, found))) > len(found) / 3:
        return ""
    return "" if other > english else "en"


def count_small_words(text: str, small: Container[str]) -> int:
    """Return how many words of `text` are in `small`, the function words of a language.

    >>> count_small_words("Wo ist das Haus?", {"wo", "ist", "das"})
    3
    """
    return sum(map(small.__contains__, _WORD.findall(text[:_SAMPLE].lower())))


def is_mixed(text: str) -> bool:
    """Return whether `text` certainly contains Hindi words in Latin letters.

    >>> is_mixed("Car mein pet hai"), is_mixed("A pet in the car")
    (True, False)
    """
    return not _words("sure").isdisjoint(_WORD.findall(text[:_SAMPLE].lower()))


def homographs() -> frozenset[str]:
    """Return words with different meanings in Hindi and English, or two in Hindi, which are ambiguous in mixed text.

    >>> sorted(homographs() & {"kar", "main", "sun", "river"})
    ['kar', 'main', 'sun']
    """
    return _words("homographs")


@cache
def _words(kind: str) -> frozenset[str]:
    lines = (line.partition(":") for line in read_lines("hinglish.txt"))
    return frozenset(word for name, _, listed in lines if name == kind for word in listed.split())


@cache
def _hinglish() -> frozenset[str]:
    return _words("sure") | _words("shared")
