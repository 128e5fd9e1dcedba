"""Words as they are compared: without case, and cut at apostrophes, hyphens and underscores.

`holdfast.language.text` cuts words as they are written ("don't", "well-known"), to count, move and replace them.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from holdfast.language.unspaced import RANGES, is_unspaced

_IN_ASCII = re.compile(r"[A-Za-z0-9]+")
_NO_JOINERS = dict.fromkeys((0x200C, 0x200D))


def parts(text: str) -> list[str]:
    """Return the runs of letters, combining marks and digits, as they are written, whatever the script.

    >>> parts("Don't go to snake_case 北京大学, नदियाँ 3!")
    ['Don', 't', 'go', 'to', 'snake', 'case', '北京大学', 'नदियाँ', '3']
    """
    found: list[str] = _IN_ASCII.findall(text) if text.isascii() else _part().findall(text)
    return found


def compared_words(text: str) -> list[str]:
    """Return the casefolded parts of a text, with compatible characters as one (NFKC) and without invisible joiners.

    In scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), every grapheme cluster is a
    word, as in the evaluations of MLQA (Lewis et al. 2020) and CMRC 2018.

    >>> compared_words("Über 3 नदियाँ!"), compared_words("用iPhone打电话")
    (['über', '3', 'नदियाँ'], ['用', 'iphone', '打', '电', '话'])
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_NO_JOINERS)
    found = parts(folded)
    return [piece for part in found for piece in characters(part)] if is_unspaced(folded) else found


def characters(word: str) -> list[str]:
    """Cut a word into the characters of scripts without spaces, and the runs of all others.

    >>> characters("3万元"), characters("café")
    (['3', '万', '元'], ['café'])
    """
    return list(_characters().findall(word)) if is_unspaced(word) else [word]


def find_words(wanted: Sequence[str], said: Sequence[str]) -> int | None:
    """Return the index at which the words `wanted` first occur in `said`, consecutively.

    Returns None if they don't, or if `wanted` is empty.

    >>> find_words(["5", "pm"], compared_words("Come at 5 pm."))
    2
    """
    size = len(wanted)
    places = range(len(said) - size + 1) if size else range(0)
    return next((i for i in places if said[i : i + size] == wanted), None)


@cache
def _part() -> Any:
    import regex

    return regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200c\u200d]*")


@cache
def _characters() -> Any:
    import regex

    return regex.compile(rf"(?=[{RANGES}])\X|[^{RANGES}]+")
