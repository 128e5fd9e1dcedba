"""The tokens of a segment: words, numbers, times, dates, marks, in any script."""

import re
import unicodedata
from typing import NamedTuple

import regex


class Token(NamedTuple):
    """A piece of text, the same in lower case, and its kind: word, number, time, date, fraction, address or mark."""

    text: str
    lower: str
    kind: str


_PATTERN = r"""
 (?P<address>https?://\S+|www\.\S+|\S+@\S+\.\S+)
|(?P<date>\d{4}-\d{1,2}-\d{1,2}\b|\d{1,2}(?P<cut>[/.-])\d{1,2}(?P=cut)\d{4}\b)
|(?P<time>\d{1,2}:\d\d(?::\d\d)?(?!\d))
|(?P<fraction>\d+[/⁄]\d+(?!\d))
|(?P<number>\d{1,3}(?:\ \d{3})+(?![\d.,])|\d+(?:[.,]\d+)*|(?<![\d.])\.\d+)
|(?P<word>(?:LETTER\.){2,}|US(?=\$)|(?:km/h|o['’]clock)(?!WORD)|LETTERWORD*(?:['’]LETTERWORD*)*)
|(?P<mark>[%$€£¥₹°‰,;:.!?।()"“”–—-]|\n)
"""
_ASCII = re.compile(_PATTERN.replace("LETTER", "[A-Za-z]").replace("WORD", "[A-Za-z_]"), re.VERBOSE | re.ASCII)
_ANY = regex.compile(
    _PATTERN.replace("LETTER", r"\p{L}").replace("WORD", r"[\p{L}\p{M}_\u200c\u200d]").replace(r"\d", "[0-9]"),
    regex.VERBOSE,
)
_ITEM = re.compile(r"\s*\(?(?:\d{1,3}|[A-Za-z])[.)]\s+(?=\S)")
"""The number of a list's item says nothing."""
_DIGIT = regex.compile(r"[^\P{Nd}0-9]")
_HALVES = str.maketrans({"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3"})


def tokens_of(text: str) -> list[Token]:
    """Tokens in the order of the text; digits of all scripts are read as 0 to 9.

    >>> [token.text for token in tokens_of("Pay $4,500 at 10:30, don't wait!")]
    ['Pay', '$', '4,500', 'at', '10:30', ',', "don't", 'wait', '!']
    >>> [token.text for token in tokens_of("१२ किलो")]
    ['12', 'किलो']
    """
    text = _ITEM.sub("", text, 1) if _ITEM.match(text) else text
    if text.isascii():
        found = _ASCII.finditer(text)
    else:
        plain = unicodedata.normalize("NFKC", text.translate(_HALVES)).replace("’", "'")
        found = _ANY.finditer(_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group(), digit.group())), plain))
    return [Token(piece, piece.lower(), match.lastgroup or "date") for match in found if (piece := match.group())]
