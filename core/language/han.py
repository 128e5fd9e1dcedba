"""Chinese numerals, dates and times, and word segmentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from holdfast.language.lexicon_tables import known_words

_DIGITS = {
    char: value
    for value, chars in enumerate("零〇 一壹 二两贰 三叁 四肆 五伍 六陆 七柒 八捌 九玖".split())
    for char in chars
}
_SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_NUMERALS = "".join((*_DIGITS, *_SCALES, *_MYRIADS))
_NUMERAL = re.compile(rf"[{_NUMERALS}]+(?:点[{''.join(_DIGITS)}]+(?!分))?")
_COUNT = rf"(?:\d+|[{_NUMERALS}]{{1,4}})"
_YEAR = rf"\d{{4}}|[{''.join(_DIGITS)}]{{4}}"
_DATE = re.compile(rf"(?:({_YEAR})年)?({_COUNT})月(?:({_COUNT})[日号])?|({_YEAR})年")
_CLOCK = re.compile(
    rf"(上午|早上|凌晨|下午|晚上|傍晚)?({_COUNT})[点时](?:({_COUNT})分|(半)|钟|整)?(?![\d{''.join(_DIGITS)}间])"
)
_LARGEST = 10**300
_PLAIN = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
"""A plain number that a following numeral character can multiply."""
_LATIN = re.compile("[A-Za-z][A-Za-z0-9_']*")
_PERCENT = "百分之"
_LATE = frozenset({"下午", "晚上", "傍晚"})

Piece = tuple[str, str, str]
"""A token: its text, its normalised form, and its kind."""


def value_of_numeral(text: str) -> float:
    """Return the value of a Chinese numeral.

    >>> value_of_numeral("三十"), value_of_numeral("两千零五"), value_of_numeral("十二万"), value_of_numeral("三点五")
    (30.0, 2005.0, 120000.0, 3.5)
    >>> value_of_numeral("二〇二四")
    2024.0
    """
    whole, point, decimals = text.partition("点")
    if point:
        return float(f"{value_of_numeral(whole):.0f}." + "".join(str(_DIGITS[char]) for char in decimals))
    if len(whole) > 1 and all(char in _DIGITS for char in whole):
        return float("".join(str(_DIGITS[char]) for char in whole[:300]))
    total = section = digit = 0
    for char in whole:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _SCALES:
            section, digit = section + (digit or 1) * _SCALES[char], 0
        else:
            total, section, digit = (total + section + digit or 1) * _MYRIADS[char], 0, 0
    return float(min(total + section + digit, _LARGEST))


def rewrite_dates(text: str) -> str:
    """Rewrite Chinese dates and times in digits.

    >>> rewrite_dates("2024年5月12日下午三点半开会")
    ' 2024-5-12  15:30 开会'
    """

    def dated(found: re.Match[str]) -> str:
        year, month, day, alone = (_plain(part) if part else "" for part in found.groups())
        return f" {alone} " if alone else f" {year or '0000'}-{month}-{day or '00'} "

    def timed(found: re.Match[str]) -> str:
        part, hour, minutes, half = found[1], int(_plain(found[2])), _plain(found[3] or "0"), found[4]
        if hour > 24:
            return found.group()
        hour += 12 * (part in _LATE and hour < 12)
        return f" {hour}:{30 if half else int(minutes):02} " + ("am " if part and part not in _LATE else "")

    return _CLOCK.sub(timed, _DATE.sub(dated, text))


def _plain(number: str) -> str:
    return number if number.isdecimal() else f"{value_of_numeral(number):.0f}"


def split_words(pieces: Sequence[Piece], language: str) -> list[Piece]:
    """Split the Chinese text of tokens into words.

    Known words and numerals are matched longest first; the rest is split into characters.

    Args:
        pieces: Tokens; only those of kind "word" are split.
        language: Code of the language whose vocabulary is used.
    """
    found: list[Piece] = []
    for text, form, kind in pieces:
        if kind == "word" and not text.isascii():
            _cut(text, found, language)
        elif kind == "number" and found and found[-1][0] == _PERCENT:
            found[-1:] = [(_PERCENT + text, form, kind), ("%", "%", "mark")]
        else:
            found.append((text, form, kind))
    return found


def _cut(text: str, found: list[Piece], language: str) -> None:
    known, longest = _vocabulary(language)
    at = 0
    while at < len(text):
        if text[at].isascii():
            latin = _LATIN.match(text, at)
            word = latin.group() if latin else text[at]
            found.append((word, word.lower(), "word" if latin else "mark"))
            at += len(word)
            continue
        word = next((text[at : at + n] for n in range(longest, 1, -1) if text[at : at + n] in known), "")
        if text.startswith(_PERCENT, at):
            share = _NUMERAL.match(text, at + len(_PERCENT))
            if share:
                value = f"{value_of_numeral(share.group()):.10g}"
                found += [(text[at : share.end()], value, "number"), ("%", "%", "mark")]
            else:
                found.append((_PERCENT, _PERCENT, "word"))
            at = share.end() if share else at + len(_PERCENT)
        elif not word and (number := _NUMERAL.match(text, at)):
            at = _numeral(number, found)
        elif text.startswith("半", at) and text[at + 1 : at + 2] and not word:
            at = _half(text, at, found)
        else:
            word = word or text[at]
            found.append((word, word, "word"))
            at += len(word)


def _numeral(number: re.Match[str], found: list[Piece]) -> int:
    """Append a numeral to `found`, or multiply the digits right before it (3万); return the offset after it."""
    digits = number.group()
    if digits[0] in _MYRIADS or (digits[0] in _SCALES and digits[0] != "十"):
        scale = (_MYRIADS | _SCALES)[digits[0]]
        if found and found[-1][2] == "number" and number.start() == 0 and _PLAIN.fullmatch(found[-1][1]):
            before = found.pop()
            found.append((before[0] + digits[0], f"{float(before[1]) * scale:.15g}", "number"))
            return number.start() + 1
    found.append((digits, f"{value_of_numeral(digits):.15g}", "number"))
    return number.end()


def _half(text: str, at: int, found: list[Piece]) -> int:
    """Append 半 as 0.5, or add it to the number before it (三个半小时); return the offset after it."""
    counted = found[-2:] if found and found[-1][0] in "个年天" else found[-1:]
    if counted and counted[0][2] == "number" and at > 0 and _PLAIN.fullmatch(counted[0][1]):
        number = counted[0]
        del found[-len(counted) :]
        found.append((number[0] + "半", f"{float(number[1]) + 0.5:.10g}", "number"))
        found += [piece for piece in counted[1:] if piece[0] != "个"]
    else:
        found.append(("半", "0.5", "number"))
    return at + 1 + text.startswith("个", at + 1)


@cache
def _vocabulary(language: str) -> tuple[frozenset[str], int]:
    words = known_words(language)
    return words, max(map(len, words), default=1)
