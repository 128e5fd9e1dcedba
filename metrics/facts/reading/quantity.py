"""The quantity type, the tables of units and calendar words, and the parsing of digits and dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from holdfast.language.lexicon_tables import own_rows
from holdfast.language.meanings import tables
from holdfast.language.word_tables import rows_of

ROMAN = {
    tens + ones: 10 * ten + one
    for ten, tens in enumerate(("", "X", "XX", "XXX"))
    for one, ones in enumerate(("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"))
    if ten or one
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, date or time, normalised to a base unit.

    Attributes:
        kind: "number", "date" or "time".
        key: The normalised form: `12`, `4500000 dollars`, `3th`; for dates `2024-05-12` with `?` for unknown parts, or
            `weekday 2`; for times `15:00`, followed by `?` if it may be morning or evening.
        form: The quantity as it was written.
        value: The value in the base unit.
        unit: The base unit; "" if there is none.
        count: The value as written, before conversion to the base unit.
        loose: Whether it is approximate: a couple of.
        share: Whether it is a percentage written as a fraction: two thirds.
        implied: Whether it may be left out without a change in meaning: both.
    """

    kind: str
    key: str
    form: str
    value: float = 0.0
    unit: str = ""
    count: float = 0.0
    loose: bool = False
    share: bool = False
    implied: bool = False


Unit = tuple[str, float]
"""A base unit, and how many of it a unit is."""


@cache
def units(language: str = "en") -> dict[str, Unit]:
    """Map every way to write a unit in a language to its base unit and factor, with the quotients of symbols: km/h."""
    found = {}
    for head, forms in (*rows_of("units.txt"), *own_rows("units", language)):
        base, factor = head.split()
        found.update({form: (base, float(factor)) for form in forms.split()})
    symbols = {form: unit for form, unit in found.items() if len(form) <= _SYMBOL and form[0].isalpha()}
    rates = {f"{one}/{other}": rate(symbols[one], symbols[other]) for one in symbols for other in symbols}
    return found | {form: unit for form, unit in rates.items() if unit}


def rate(one: Unit, other: Unit) -> Unit | None:
    """Return the unit of so much of one unit per another: (m/min, 1000 / 60) for km and h.

    None if it isn't one: money, shares and times are left alone, since what is earned an hour is also an hourly wage,
    and so are days and longer times: daily.
    """
    (base, factor), (per, length) = one, other
    if base not in _COUNTED or per not in _COUNTED | {"min"} or base == per or (per == "min" and length > _HOUR):
        return None
    return f"{base}/{per}", factor / length


_SYMBOL = 4
"""Longer forms of units are words."""
_COUNTED = frozenset("m m2 g l byte bit w wh joule kcal mol".split())
"""Base units that are counted per time, or per another of them."""
_HOUR = 60.0


@cache
def calendar(language: str = "en") -> dict[str, tuple[str, str, bool]]:
    """Map month, weekday and clock words to their kind, their value, and whether they are also common words."""
    found = {}
    for head, forms in own_rows("calendar", language) or rows_of("calendar.txt"):
        kind, value = head.split()
        found.update({form.rstrip("!"): (kind, value, form.endswith("!")) for form in forms.split()})
    return found


@cache
def clock_words(language: str = "en") -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Map the first word of phrases that may follow a time to all their words and their meaning: am, pm or oclock."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for form, (kind, value, _) in calendar(language).items():
        if kind == "clock" and value in ("am", "pm", "oclock"):
            first, *others = form.split("_")
            found.setdefault(first, []).append(((first, *others), value))
    return found


def format_number(value: float) -> str:
    """Format a number without an exponent or trailing zeros, to at most 10 significant digits unless it is whole.

    >>> format_number(4.5e6), format_number(0.25)
    ('4500000', '0.25')
    """
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e22 else f"{value:.10g}"


def make_number(count: float, unit: str, form: str, factor: float = 1.0) -> Quantity:
    """Make a quantity from a number and its unit; degrees Fahrenheit are converted to Celsius.

    Args:
        count: The number as written.
        unit: The base unit; "" if there is none.
        form: The quantity as it was written.
        factor: How many base units the written unit is.

    >>> make_number(212.0, "fahrenheit", "212 °F").key
    '100 celsius'
    """
    value = _round(count * factor)
    if unit == "fahrenheit":
        value, unit = _round((count - 32) / 1.8), "celsius"
    return Quantity("number", f"{format_number(value)} {unit}".strip(), form, value, unit, _round(count))


def _round(value: float) -> float:
    """Round off floating-point noise, to 9 significant digits; whole numbers are kept."""
    return value if value.is_integer() else float(f"{value:.9g}")


def parse_digits(text: str, decimal: str = ".") -> float:
    """Return the value of ASCII digits with grouping and a decimal mark.

    If there are both commas and points, the last one is the decimal mark; a single one before three digits is a
    grouping mark unless it is the language's decimal mark.

    Args:
        text: Digits, with commas, points, spaces or apostrophes.
        decimal: The language's decimal mark.

    >>> parse_digits("1,00,000"), parse_digits("4,5"), parse_digits("1.234.567"), parse_digits("1.200,50")
    (100000.0, 4.5, 1234567.0, 1200.5)
    >>> parse_digits("12"), parse_digits("1,200")
    (12.0, 1200.0)
    >>> parse_digits("1,200", ","), parse_digits("1.200", ","), parse_digits("1 200,5", ",")
    (1.2, 1200.0, 1200.5)
    """
    text = text.replace(" ", "").replace("'", "")
    last = max(text.rfind(","), text.rfind("."))
    if last < 0:
        return min(float(text), 1e300)
    mark, other = text[last], "." if text[last] == "," else ","
    whole, part = text[:last], text[last + 1 :]
    grouping = mark in whole or (
        len(part) == 3 and mark != decimal and other not in whole and 0 < len(whole) < 4 and whole != "0"
    )
    bare = whole.replace(",", "").replace(".", "")
    return min(float(bare + part if grouping else f"{bare or 0}.{part}"), 1e300)


@lru_cache(maxsize=1 << 12)
def compound_value(word: str, language: str, joiner: str) -> float | None:
    """Return the value of a word composed of number words, or None if it is not one.

    Args:
        word: The word, in lower case.
        language: Its language code.
        joiner: The word that joins units and tens, such as "und".

    >>> compound_value("zweihundertfünfundzwanzig", "de", "und"), compound_value("Hundert", "de", "und")
    (225.0, None)
    """
    words = tables(language).numbers
    total = current = 0.0
    at, pieces = 0, 0
    while at < len(word):
        end = next((end for end in range(len(word), at + 1, -1) if words.get(word[at:end], ("",))[0] in _COUNTS), 0)
        if not end:
            if not pieces or not word.startswith(joiner, at):
                return None
            at += len(joiner)
            continue
        kind, value = words[word[at:end]]
        current = (current or 1.0) * value if kind == "scale" else current + value
        if kind == "scale" and value >= 1000:
            total, current = total + current, 0.0
        at, pieces = end, pieces + 1
    return total + current if pieces > 1 else None


_COUNTS = ("number", "scale")


def parse_fraction(text: str) -> float:
    """Return the value of a fraction such as `3/4`."""
    over, under = re.split("[/⁄]", text)
    return float(over[:15]) / (int(under[:15]) or 1)


def parse_date(text: str) -> Quantity:
    """Parse a date such as `2024-05-12`, `12.05.2024` or `07/15/2023`.

    An ambiguous date is read as day, month, year, but as month, day, year if it is written with slashes.
    """
    parts = re.split("[/.-]", text)
    if len(parts[0]) == 4:
        year, month, day = parts
    else:
        first, second, year = parts
        american = ("/" in text and int(second) > 12) or ("/" in text and int(first) <= 12)
        month, day = (first, second) if american else (second, first)
    year, day = year if int(year) else "?", f"{int(day):02}" if int(day) else "?"
    return Quantity("date", f"{year}-{int(month):02}-{day}", text)
