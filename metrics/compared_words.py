"""Words as metrics compare them, in any script; scripts without spaces between words are compared by character."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import regex

from holdfast.language.unspaced import RANGES, is_unspaced, word_pattern

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def words(text: str) -> list[str]:
    """Return the casefolded words of a text: runs of letters, combining marks and digits.

    In scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), every grapheme cluster is a
    word, as in the evaluations of MLQA (Lewis et al. 2020) and CMRC 2018.

    >>> words("Über 3 नदियाँ!"), words("用iPhone打电话")
    (['über', '3', 'नदियाँ'], ['用', 'iphone', '打', '电', '话'])
    """
    return [piece for word in spaced_words(text) for piece in characters(word)]


def spaced_words(text: str) -> list[str]:
    """Return the casefolded runs of letters, combining marks and digits, whatever the script.

    >>> spaced_words("Go to 北京大学!")
    ['go', 'to', '北京大学']
    """
    found: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return found


def counted_words(text: str) -> list[str]:
    """Return the words of a text as `words` does, but cut unspaced scripts into words as perturbations do.

    For counts of words and of different words, to which single characters would be too short.

    >>> counted_words("中国的首都 is Beijing")
    ['中国', '的', '首都', 'is', 'beijing']
    """
    return [piece for word in spaced_words(text) for piece in _cut(word)]


def characters(word: str) -> list[str]:
    """Cut a word into the characters of scripts without spaces, and the runs of all others.

    >>> characters("3万元"), characters("café")
    (['3', '万', '元'], ['café'])
    """
    return list(_characters().findall(word)) if is_unspaced(word) else [word]


def find_words(wanted: Sequence[str], said: Sequence[str]) -> int | None:
    """Return the index at which the words `wanted` first occur in `said`, consecutively.

    Returns None if they don't, or if `wanted` is empty.

    >>> find_words(["5", "pm"], words("Come at 5 pm."))
    2
    """
    size = len(wanted)
    places = range(len(said) - size + 1) if size else range(0)
    return next((i for i in places if said[i : i + size] == wanted), None)


def _cut(word: str) -> list[str]:
    return list(word_pattern().findall(word)) if is_unspaced(word) else [word]


@cache
def _characters() -> Any:
    return regex.compile(rf"(?=[{RANGES}])\X|[^{RANGES}]+")
