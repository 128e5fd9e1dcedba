"""Rule-based words for scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese).

No dictionary is used. The resulting "words" are about as long as real ones, start and end on grapheme cluster
boundaries, and never mix scripts, so deleting, repeating or swapping them resembles a realistic slip.
"""

import re
from functools import cache
from typing import Any

_HAN = "\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\U00020000-\U0003347f"
_HIRAGANA = "\u3041-\u3096\u309d-\u309f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_SOUTH_EAST_ASIAN = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf"
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3\u17d7\u17dc\u17dd"
)
RANGES = f"{_HAN}{_HIRAGANA}{_KATAKANA}{_SOUTH_EAST_ASIAN}"
"""The letters of these scripts, without digits, as the inside of a regex character class."""

COUNTER = f"[十百千万亿億兆]*+[{_HAN}]"
"""Pattern of a scale and counter word after a number in Chinese and Japanese: 2020年, 3万元."""

_ANY = re.compile(f"[{RANGES}]")


def is_unspaced(text: str) -> bool:
    """Return whether `text` contains a letter of a script without spaces between words.

    >>> is_unspaced("iPhone手机"), is_unspaced("한국어 नमस्ते")
    (True, False)
    """
    return not text.isascii() and _ANY.search(text) is not None


# Thai and Lao vowels written before or after their consonant, and the signs that stack the next consonant below.
_LEADING = "\u0e40-\u0e44\u0ec0-\u0ec4"
_FOLLOWING = "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3"
_STACKING = "\u1039\u17d2"
# Chinese particles that are rarely part of a longer word.
_PARTICLES = "的了是吗呢吧"


@cache
def word_pattern() -> Any:
    """Return the compiled pattern of a word in any script.

    Chinese characters are grouped in twos (most words have two) except for particles, which stand alone; katakana runs
    stay whole; hiragana and South East Asian syllables come in groups of at most three, leading vowels first.

    >>> word_pattern().findall("中国的首都是哪里？ iPhoneのケースはどこですか")
    ['中国', '的', '首都', '是', '哪里', 'iPhone', 'の', 'ケース', 'はどこ', 'ですか']
    >>> word_pattern().findall("เมืองหลวงของประเทศไทย")
    ['เมือง', 'หลว', 'งขอ', 'งประ', 'เทศ', 'ไทย']
    """
    import regex

    run = rf"(?![\p{{M}}\u200c\u200d])[\w--[{RANGES}]][[\w\u200c\u200d]--[{RANGES}]]*+"
    letter = rf"(?=[{_SOUTH_EAST_ASIAN}])\X[\p{{M}}{_FOLLOWING}]*+"
    cluster = rf"(?![{_LEADING}]){letter}(?:(?<=[{_STACKING}]){letter})*+"
    return regex.compile(
        rf"{run}(?:['’\-]{run})*+(?:(?<=\d){COUNTER})?+"
        rf"|[{_PARTICLES}]\p{{M}}*+"
        rf"|(?:[[{_HAN}]--[{_PARTICLES}]]\p{{M}}*+){{1,2}}+"
        rf"|(?:[{_KATAKANA}]\p{{M}}*+)++"
        rf"|(?:[{_HIRAGANA}\u30fc]\p{{M}}*+){{1,3}}+"
        rf"|[{_LEADING}]\p{{M}}*+(?:{cluster}){{0,3}}+"
        rf"|(?:{cluster}){{1,3}}+",
        regex.V1,
    )
