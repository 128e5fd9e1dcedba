"""What language a text is in, as far as an encoder must know: by script, by its small words, then by py3langid."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+")
_SMALL_WORDS = {
    "en": "the of and to in is was for it that with on as are this be at by an from not have has were he she they you "
    "we his her its their or which had but will what who i my your there been would can do does did if when how no yes",
    "hi-Latn": "hai hain ka ki ke ko se mein kya nahi nahin aur tha thi yeh woh kaun kab kahan kaise bhi mujhe aap hum "
    "tum kar raha rahi rahe gaya gayi hota hoti ek liye wala wali batao bataiye",
}
_LANGUAGE = {word: language for language, words in _SMALL_WORDS.items() for word in words.split()}
_ENOUGH_LETTERS = 40
"""Shorter texts say too little for a statistical guess."""


@lru_cache(maxsize=1 << 16)
def language_of(text: str) -> str:
    """An ISO 639 code, `hi-Latn` for Hinglish, `zz` for a script that has no Latin letters but Devanagari's; "" for a
    text without letters, which any encoder may read. A short text in Latin letters counts as English.

    >>> language_of("Who wrote the book?"), language_of("किताब किसने लिखी?"), language_of("Yeh kitaab kisne likhi hai?")
    ('en', 'hi', 'hi-Latn')
    >>> language_of("Paris"), language_of("1832!"), language_of("Кто написал книгу?")
    ('en', '', 'zz')
    """
    words = _WORD.findall(text)
    letters = "".join(words)
    if not letters:
        return ""
    if not letters.isascii():
        latin = sum(letter < "\u0250" for letter in letters)
        if 2 * latin < len(letters):
            devanagari = sum("\u0900" <= letter <= "\u097f" for letter in letters)
            return "hi" if 2 * devanagari >= len(letters) - latin else "zz"
    counts = {"en": 0, "hi-Latn": 0}
    for word in words:
        language = _LANGUAGE.get(word.lower())
        if language:
            counts[language] += 1
    best = max(counts, key=counts.__getitem__)
    if counts[best] * 8 >= len(words):
        return best
    return _guessed(text) if len(letters) >= _ENOUGH_LETTERS else "en"


def _guessed(text: str) -> str:
    import py3langid

    language, _ = py3langid.classify(text)
    return str(language)
