"""Detects the language of a text.

Tries the script, function words and word frequencies first, then py3langid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import regex

from holdfast.language.compared_words import parts
from holdfast.language.grammar import closed_class
from holdfast.language.hinglish import SAMPLE, hinglish
from holdfast.language.language_files import language_files
from holdfast.language.lexicon_tables import known_names, words_with

_NO_WORD = re.compile(r"\d+|(?<=['’])[^\W\d_](?![^\W\d_])")
_CAPITALISED: Any = regex.compile(r"(?<=[\p{L}\p{N},;] )\p{Lu}\p{Ll}+")
"""A capitalised word inside a sentence."""
_HINGLISH = "hi-Latn"
_SCRIPTS = {
    "Devanagari": "hi",
    "Cyrillic": "ru",
    "Arabic": "ar",
    "Han": "zh",
    "Hiragana": "ja",
    "Katakana": "ja",
    "Hangul": "ko",
    "Greek": "el",
    "Hebrew": "he",
    "Thai": "th",
    "Bengali": "bn",
    "Tamil": "ta",
    "Telugu": "te",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Kannada": "kn",
    "Malayalam": "ml",
    "Armenian": "hy",
    "Georgian": "ka",
}
"""Scripts, each with the language most often written in it."""
_SHARED = {"ru": "be bg kk ky mk mn ru sr uk".split(), "ar": "ar fa ku ps ug ur".split(), "ja": ["ja"]}
"""Languages that share a script; py3langid chooses among them if the text is long enough."""

_LATIN = "en de fr es it pt nl sv pl tr".split()
"""Candidate languages for short texts in Latin letters."""
_ENOUGH_LETTERS = 40
"""Minimum number of letters for statistical language identification."""
_SURER = 1.2
"""A short text is not English if its words are on average at least 10^1.2 times as common in another language."""
_COMMON = 4.5
"""The Zipf frequency from which a word is common."""
_SOME = 12
"""How many words are looked up in the lists of frequencies."""
_KNOWN = 3.0
"""A text whose words have at least this mean Zipf frequency in English skips statistical identification."""


@lru_cache(maxsize=1 << 16)
def language_of(text: str) -> str:
    """Return the language of a text.

    A short text in Latin letters counts as English unless there is evidence against it.

    Returns:
        An ISO 639 code; `hi-Latn` for Hinglish; `zz` for an unknown script; "" for a text without letters, which any
        encoder can read.

    >>> language_of("Who wrote the book?"), language_of("किताब किसने लिखी?"), language_of("Yeh kitaab kisne likhi hai?")
    ('en', 'hi', 'hi-Latn')
    >>> language_of("Paris"), language_of("1832!"), language_of("Кто написал книгу?"), language_of("Zwei Hunde bellen.")
    ('en', '', 'ru', 'de')
    """
    text = text[:SAMPLE]
    words = _words(text)
    letters = "".join(words)
    if not letters:
        return ""
    if not letters.isascii():
        latin = sum(letter < "\u0250" for letter in letters)
        if 2 * latin < len(letters):
            return _by_script(text, letters)
    counts = _count_small_words(text)
    most = max(counts.values(), default=0)
    if most * 8 >= len(words):
        best = [language for language, count in counts.items() if count == most]
        if best in (["en"], [_HINGLISH]):
            return best[0]
        if _is_plain_english(words):
            return "en"
        if most > 1 or len(letters) >= _ENOUGH_LETTERS:
            return "en" if "en" in best else _likeliest(words, best)
    if len(letters) < _ENOUGH_LETTERS or _commonness(words, "en") >= _KNOWN:
        return _by_frequency(words)
    return _guessed(text)


def _words(text: str) -> list[str]:
    """Return the parts of a text, but neither digits nor the letter after an apostrophe, as in "it's"."""
    return parts(_NO_WORD.sub(" ", text))


def _count_small_words(text: str) -> Mapping[str, int]:
    """Count the function words of each language, of Hinglish only if it is the likeliest.

    Names are left out ("Ben" is also Dutch for "am"). Beside a word that only Hinglish has, those that it shares with
    English are Hinglish; without one, the rest must be English.
    """
    known, names = _small_words(), known_names()
    words = _words(_CAPITALISED.sub("", text))
    words = [lower for word in words if not ((lower := word.lower()) in names and word != lower)]
    counts = Counter(language for word in words for language in known.get(word, ()))
    mixed = counts.pop(_HINGLISH, 0)
    if not mixed:
        return counts
    if hinglish("sure").isdisjoint(words):
        is_likeliest = mixed > max(counts.values(), default=0) and _commonness(words, "en") >= _KNOWN
    else:
        both = [word for word in words if word in hinglish("homographs") and "en" in known.get(word, ())]
        mixed += len(both)
        counts["en"] -= len(both)
        is_likeliest = mixed >= max(counts.values())
    return {_HINGLISH: mixed} if is_likeliest else counts


def script_of(language: str) -> str:
    """Return the script that a language is most often written in; `-Latn` says that it is in Latin letters.

    >>> script_of("hi"), script_of("hi-Latn"), script_of("uk"), script_of("fr")
    ('Devanagari', 'Latin', 'Cyrillic', 'Latin')
    """
    for code, script in {owner: script for script, owner in _owners().items()}.items():
        if language == code:
            return script
    main = next((code for code, others in _SHARED.items() if language in others), language)
    return next((script for script, code in _SCRIPTS.items() if code == main), "Latin")


def languages_of(*texts: str) -> set[str]:
    """Return the languages of related texts.

    A text too short to identify is assumed to share a language with the others.

    >>> languages_of("Der Zug fährt um neun Uhr ab.", "Paris."), sorted(languages_of("It rains.", "Il pleut souvent."))
    ({'de'}, ['en', 'fr'])
    """
    found = {text: language_of(text) for text in texts}
    if {*found.values()} == {"en"}:
        return {"en"}
    sure = {language for text, language in found.items() if language and (language != "en" or _is_english(text))}
    return sure or set(found.values()) - {""}


def segment_languages(clean: tuple[str, ...], perturbed: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the language of each segment of two answers.

    A segment has its own detected language if that is the language of either answer, and otherwise the language of its
    answer.
    """
    wholes = [" ".join(side) for side in (clean, perturbed)]
    found = languages_of(*wholes)
    if len(found) < 2:
        language = min(found, default="en")
        return [(language,) * len(clean), (language,) * len(perturbed)]
    return [
        tuple(own if own in found else language_of(whole) for own in map(language_of, side))
        for side, whole in zip((clean, perturbed), wholes, strict=True)
    ]


@lru_cache(maxsize=1 << 16)
def _is_english(text: str) -> bool:
    """Return whether a text has an English function word, or is long enough for its detected language to be sure."""
    words = _words(text)
    return sum(map(len, words)) >= _ENOUGH_LETTERS or any(
        "en" in _small_words().get(word.lower(), ()) for word in words
    )


@cache
def _small_words() -> dict[str, tuple[str, ...]]:
    """Return the function words of all languages, each with the languages it belongs to."""
    found: dict[str, tuple[str, ...]] = {}
    lists = {"en": closed_class() - closed_class("courtesy"), _HINGLISH: hinglish("sure") | hinglish("shared")}
    for code in language_files():
        lists[code] = words_with(code, "small") | words_with(code, "not")
    for language, words in lists.items():
        for word in words:
            found[word] = (*found.get(word, ()), language)
    return found


def _by_script(text: str, letters: str) -> str:
    counts: dict[str, int] = {}
    for found in _scripts().finditer(letters[:1000]):
        name = str(found.lastgroup)
        counts[name] = counts.get(name, 0) + 1
    if not counts:
        return "zz"
    if "Hiragana" in counts or "Katakana" in counts:
        return "ja"
    script = max(counts, key=counts.__getitem__)
    language = _owners().get(script) or _SCRIPTS[script]
    if language in _SHARED and len(letters) >= _ENOUGH_LETTERS:
        guess = _guessed(text)
        return guess if guess in _SHARED[language] else language
    return language


@cache
def _owners() -> dict[str, str]:
    """Return the scripts claimed by language files, each with its language."""
    scripts = {file.setting("script"): code for code, file in language_files().items()}
    return {script: code for script, code in scripts.items() if script}


@cache
def _scripts() -> Any:
    """Return the pattern of a letter in any known script or in one claimed by a language file."""
    names = dict.fromkeys((*_SCRIPTS, *_owners()))
    return regex.compile("|".join(rf"(?P<{name}>\p{{Script={name}}})" for name in names))


def _by_frequency(words: Sequence[str]) -> str:
    """Return the language in which a few words are much more common than in English; English if there is none."""
    if _is_plain_english(words):
        return "en"
    means = {language: _commonness(words, language) for language in _LATIN}
    best = max(means, key=means.__getitem__)
    capitals = all(word[0].isupper() for word in words)
    return best if means[best] - means["en"] >= (2 * _SURER if capitals else _SURER) else "en"


def _likeliest(words: Sequence[str], languages: Sequence[str]) -> str:
    """Return the language in which the words are the most common, of those that we have frequencies of, if any."""
    return max(languages, key=lambda language: _commonness(words, language) if language in _LATIN else 0.0)


def _is_plain_english(words: Sequence[str]) -> bool:
    """Return whether all words, names aside, are common in English."""
    some = [word for word in words[:_SOME] if not word.istitle() or word.lower() not in known_names()]
    return bool(some) and all(_zipf(word, "en") >= _COMMON for word in some)


def _commonness(words: Sequence[str], language: str) -> float:
    """Return the mean Zipf frequency of the first dozen words in a language."""
    words = words[:_SOME]
    return sum(_zipf(word, language) for word in words) / len(words)


@lru_cache(maxsize=1 << 16)
def _zipf(word: str, language: str) -> float:
    from wordfreq import zipf_frequency

    return float(zipf_frequency(word, language, wordlist="small"))


def _guessed(text: str) -> str:
    import py3langid

    language, _ = py3langid.classify(text)
    return str(language)
