"""Splits a segment into tokens (words, numbers, times, dates, addresses, code, emoji, marks), in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import regex

from holdfast.language.han import rewrite_dates, split_words
from holdfast.language.lexicon_tables import grammar, own_rows
from holdfast.metrics.facts.reading.literals import TRIGGER, literal_pattern, normalise_literal
from holdfast.metrics.facts.reading.quantity import parse_digits, units


class Token(NamedTuple):
    """A piece of text, its normalised form (lower case for words, digits for numbers), and its kind: word, number,
    time, date, fraction, address, code, emoji or mark."""

    text: str
    lower: str
    kind: str


_PATTERN = r"""
 (?P<plain>LETTER{2,}(?![\w'’.$/]|WORD))
|(?P<sign>(?<![\w.,;:%°)\]'"–-])(?<!\d\s)-(?=[$€£¥₹]?\.?\d))
|(?P<date>\d{4}-\d{1,2}-\d{1,2}\b|\d{1,2}(?P<cut>[/.-])\d{1,2}(?P=cut)\d{4}\b)
|(?P<time>\d{1,2}(?::\d\d(?::\d\d)?(?!\d)|HOUR\d\d(?!\w|\s*min)))
|(?P<fraction>\d+(?:\.\d+)?[/⁄]\d+(?!\d|\.\d))
|(?P<number>\d{1,3}(?:[ ']\d{3})+(?:[.,]\d{1,2}(?!\d))?(?![\d]|[.,]\d)|\d+(?:[.,]\d+)*|(?<![\d.])\.\d+)
|(?P<word>(?:LETTER\.){2,}|US(?=\$)|o['’]clock(?!WORD)|(?:(?<=\d)|(?<=\d\s))(?:RATE|[kcdm]?m[23])(?!\w)|LETTERWORD*(?:['’]LETTERWORD*)*)
|(?P<mark>[%$€£¥₹₽°‰٪,;:.!?।，、；：。！？()"“”–—-]|\n)
"""
"""`plain` matches ordinary words (most tokens) quickly; `sign` is a minus, not a hyphen; `HOUR` is replaced by the
separator of hours and minutes, `RATE` by the quotients of units: km/h."""
_EMOJI = (
    r"|(?P<emoji>\p{Regional_Indicator}{2}|(?![©®™°])[\p{Extended_Pictographic}\p{So}][\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*"
    r"(?:\u200d\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]*)*)"
)
_IN_ASCII = _PATTERN.replace("LETTER", "[A-Za-z]").replace("WORD", "[A-Za-z_]")
_IN_ALL = _PATTERN.replace("LETTER", r"\p{L}").replace("WORD", r"[\p{L}\p{M}_\u200c\u200d]").replace(r"\d", "[0-9]")
_ITEM = re.compile(r"\s*(?:\(?(?:\d{1,3}|[A-Za-z])[.)]|[-*+•‣◦–—])\s+(?=\S)")
"""The number or bullet of a list item."""
_POWER = re.compile(
    r"(?:(?<![\d.,])(\d{1,15}(?:[.,]\d{1,15}){0,4})\s?[x×*·]\s?)?(?<![\d.,])10(?:\^([-−]?\d{1,2})|([⁻]?[⁰¹²³⁴-⁹]{1,2}))(?!\d)"
)
"""A power of ten with its factor: 3 × 10^5."""
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
_SCIENTIFIC = re.compile(r"(?<![\w.,])(\d{1,15}(?:\.\d{1,15})?)[eE]([+-]?\d{1,2})(?!\w)")
"""A number in scientific notation: 1.5e6."""
_DETACHED = re.compile(r"(?<=[a-zA-Z])(?: (?=n['’]t\b)| (?=['’](?:s|t|re|ve|ll|d|m)\b))")
"""The space before a contraction in tokenised text: do n't, it 's."""
_YEARS = re.compile(r"(?<![\d/–-])((?:1\d|20)\d\d)([/–-])(\d\d)(?![\d/–-])")
"""Two years of which the second is cut: 2020/21, 1914–18."""
_DIGIT = regex.compile(r"[^\P{Nd}0-9]")
_SAME = str.maketrans(
    {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "٫": ".", "٬": ",", "’": "'", "−": "-"}
    | dict.fromkeys(map(chr, (0x640, *range(0x64B, 0x653))))
)
"""Normalises single-character fractions, the minus sign, apostrophes and Arabic decimal and thousands marks; removes
Arabic vowel signs, which are rarely written."""


@cache
def _in_ascii(literal: bool, spaced: bool) -> re.Pattern[str]:
    """Return the pattern for ASCII text, with or without literals and times such as "9 h 30"."""
    return re.compile(_complete(_IN_ASCII, literal, spaced), re.VERBOSE | re.ASCII)


@cache
def _in_all(literal: bool, spaced: bool) -> Any:
    """Return the pattern for any text, with or without literals and times such as "9 h 30"."""
    return regex.compile(_complete(_IN_ALL + _EMOJI, literal, spaced), regex.VERBOSE)


def _complete(pattern: str, literal: bool, spaced: bool) -> str:
    sides = zip(*(form.split("/") for form in units() if "/" in form), strict=True)
    rates = "/".join(f"(?:{'|'.join(sorted({*side}))})" for side in sides)
    pattern = pattern.replace("HOUR", r"\s?h\s?" if spaced else "h").replace("RATE", f"(?i:{rates})")
    return (f"{literal_pattern()}|" if literal else "") + pattern


@cache
def _spaces_hours(language: str) -> bool:
    """Return whether a language writes times with a separate "h", according to its file: 9 h 30."""
    return any(head == "clock oclock" and "h" in forms.split() for head, forms in own_rows("calendar", language))


def tokens_of(text: str, language: str = "en") -> list[Token]:
    """Split a text into tokens; digits of any script become 0 to 9.

    >>> [token.text for token in tokens_of("Pay $4,500 at 10:30, don't wait!")]
    ['Pay', '$', '4,500', 'at', '10:30', ',', "don't", 'wait', '!']
    >>> [token.text for token in tokens_of("१२ किलो")], [token.text for token in tokens_of("Run rm -rf /tmp/x 😀")]
    (['12', 'किलो'], ['Run', 'rm', '-rf', '/tmp/x', '😀'])
    >>> [token.text for token in tokens_of("| Lyon | 12 |")], [token.text for token in tokens_of("ls | sort")]
    ([',', 'Lyon', ',', '12', ','], ['ls', '|', 'sort'])
    >>> [token.lower for token in tokens_of("l'ami", "fr")], [token.lower for token in tokens_of("三十只狗", "zh")]
    (['l', 'ami'], ['30', '只', '狗'])
    """
    if text.startswith("|"):  # the row of a table, not a pipe between commands
        text = text.replace("|", ",")
    text = _expand(without_list_marker(text), grammar(language).decimal)
    literal, spaced = TRIGGER.search(text) is not None, _spaces_hours(language)
    if text.isascii():
        found = _in_ascii(literal, spaced).finditer(text)
    else:
        plain = unicodedata.normalize("NFKC", text.translate(_SAME))
        plain = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group(), digit.group())), plain)
        plain = rewrite_dates(plain) if grammar(language).unspaced else plain
        found = _in_all(literal, spaced).finditer(plain)
    tokens = [
        Token(piece, piece.lower(), "word") if match.lastgroup == "plain" else _token(piece, match.lastgroup or "date")
        for match in found
        if (piece := match.group())
    ]
    rules = grammar(language)
    if rules.elided and "'" in text.replace("’", "'"):
        tokens = [one for token in tokens for one in _split_elision(token, rules.elided)]
    if rules.unspaced:
        tokens = [Token(*one) for one in split_words([(*token,) for token in tokens], language)]
    return tokens


def without_list_marker(text: str) -> str:
    """Return a text without the number or bullet of a list item at its start.

    >>> without_list_marker("2. Stir well."), without_list_marker("- salt"), without_list_marker("2.5 litres")
    ('Stir well.', 'salt', '2.5 litres')
    """
    item = _ITEM.match(text)
    return text[item.end() :] if item else text


def _expand(text: str, decimal: str) -> str:
    """Write out powers of ten and years that are cut (2020/21), and attach contractions; code is left unchanged."""
    if "'" in text or "’" in text:
        text = _DETACHED.sub("", text)
    if ("e" in text or "E" in text) and "`" not in text:
        text = _SCIENTIFIC.sub(lambda found: _digits(found[1], int(found[2]), ".", decimal), text)
    if "10" in text and "`" not in text:
        text = _POWER.sub(lambda found: _power(found, decimal), text)
    return _YEARS.sub(_years, text)


def _power(found: re.Match[str], decimal: str) -> str:
    """Return the digits of a power of ten."""
    exponent = (found[2] or found[3]).translate(_RAISED)
    return _digits(found[1] or "1", int(exponent), decimal, decimal)


def _digits(factor: str, exponent: int, mark: str, decimal: str) -> str:
    """Return the digits of a factor, whose decimal mark is given, times a power of ten."""
    count = Decimal(repr(parse_digits(factor, mark)))
    return format(count.scaleb(exponent).normalize(), "f").replace(".", decimal)


def _years(found: re.Match[str]) -> str:
    """Return both years in full, unless the second part may be a month (2020-05) or is no later year."""
    first, mark, cut = found.groups()
    years = (int(cut) - int(first)) % 100
    is_range = years == 1 if mark == "/" else 0 < years < 50 and (mark == "–" or int(cut) > 12)
    return f"{first}-{int(first) + years}" if is_range else found.group()


_NORMALISED = frozenset({"address", "code", "emoji"})


def _token(piece: str, kind: str) -> Token:
    if kind == "sign":
        return Token(piece, "minus", "mark")
    if piece == "24/7":
        return Token(piece, piece, "word")
    if kind == "time":
        return Token(piece, piece.replace("h", ":"), kind)
    return Token(piece, normalise_literal(piece, kind) if kind in _NORMALISED else piece.lower(), kind)


def _split_elision(token: Token, heads: frozenset[str]) -> Iterator[Token]:
    """Split a word such as `l'ami` into two."""
    head, apostrophe, rest = token.lower.partition("'")
    if token.kind == "word" and apostrophe and rest and head in heads:
        yield Token(token.text[: len(head) + 1], head, "word")
        yield Token(token.text[len(head) + 1 :], rest, "word")
    else:
        yield token
