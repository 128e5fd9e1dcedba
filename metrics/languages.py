"""Which texts an encoder that knows English can read."""

import re

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-zªºÀ-ÖØ-öø-ɏ]")


def is_latin(text: str) -> bool:
    """Whether at least half of the letters are Latin ones; a text without letters counts as such.

    >>> is_latin("Wer schrieb Faust?"), is_latin("फ़ाउस्ट किसने लिखा?"), is_latin("1832!")
    (True, False, True)
    """
    letters = len(_LETTER.findall(text))
    return 2 * len(_LATIN.findall(text)) >= letters
