"""A quantity, the ways to write it, and how pieces of text become values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from holdfast.language.lexicon_tables import own_rows, rows_of
from holdfast.language.meanings import tables

ROMAN = {
    tens + ones: 10 * ten + one
    for ten, tens in enumerate(("", "X", "XX", "XXX"))
    for one, ones in enumerate(("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"))
    if ten or one
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, date or time: its value in the base unit, and how it was written.

    `key` is `12`, `4500000 dollars`, `3rd`; for dates `2024-05-12` with `?` for what is not said, `weekday 2` for days
    of the week; for times `15:00`, with `?` behind it where it may be morning or evening.
    """

    kind: str
    key: str
    form: str
    value: float = 0.0
    unit: str = ""
    count: float = 0.0
    """The value as it was written, before its unit was turned into the base unit."""
    loose: bool = False
    """Whether it is meant roughly: a couple of."""
    share: bool = False
    """Whether it is a percentage that was written as a fraction: two thirds."""
    implied: bool = False
    """Whether it may as well be left out: both."""


@cache
def units(language: str = "en") -> dict[str, tuple[str, float]]:
    """Every way to write a unit, its base unit and the factor; those that all languages share, and a language's own."""
    found = {}
    for head, forms in (*rows_of("units.txt"), *own_rows("units", language)):
        base, factor = head.split()
        found.update({form: (base, float(factor)) for form in forms.split()})
    return found


@cache
def calendar(language: str = "en") -> dict[str, tuple[str, str, bool]]:
    """Every way to write a month, a weekday or a part of the clock: kind, value, and whether it is a word, too."""
    found = {}
    for head, forms in own_rows("calendar", language) or rows_of("calendar.txt"):
        kind, value = head.split()
        found.update({form.rstrip("!"): (kind, value, form.endswith("!")) for form in forms.split()})
    return found


@cache
def clock_words(language: str = "en") -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """What may stand behind a time, by its first word: all its words, and whether they say am, pm or only oclock."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for form, (kind, value, _) in calendar(language).items():
        if kind == "clock" and value in ("am", "pm", "oclock"):
            first, *others = form.split("_")
            found.setdefault(first, []).append(((first, *others), value))
    return found


def value_of(number: str) -> str:
    """A normalised number without its unit: `20 euros` -> `20`."""
    return number.partition(" ")[0]


def plain(value: float) -> str:
    """A number as briefly as it is exact enough.

    >>> plain(4.5e6), plain(0.25)
    ('4500000', '0.25')
    """
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e22 else f"{value:.10g}"


def number_of(count: float, unit: str, form: str, factor: float = 1.0) -> Quantity:
    """So many of a unit that is `factor` base units; degrees Fahrenheit, which begin elsewhere, become Celsius.

    >>> number_of(212, "fahrenheit", "212 °F").key
    '100 celsius'
    """
    value = _rounded(count * factor)
    if unit == "fahrenheit":
        value, unit = _rounded((count - 32) / 1.8), "celsius"
    return Quantity("number", f"{plain(value)} {unit}".strip(), form, value, unit, _rounded(count))


def _rounded(value: float) -> float:
    """A value without the noise of its calculation; whole numbers and small units keep their digits."""
    return value if value.is_integer() else float(f"{value:.9g}")


def digits(text: str, decimal: str = ".") -> float:
    """The value of ASCII digits with grouping and a decimal mark.

    Where both comma and point stand, the last one is the decimal mark; a single one in front of three digits groups,
    unless it is the language's decimal mark.

    >>> digits("1,00,000"), digits("4,5"), digits("1.234.567"), digits("12"), digits("1.200,50")
    (100000.0, 4.5, 1234567.0, 12.0, 1200.5)
    >>> digits("1,200"), digits("1,200", ","), digits("1.200", ","), digits("1 200,5", ",")
    (1200.0, 1.2, 1200.0, 1200.5)
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
    """The value of a word that is put together from numbers; None for one that is not.

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


def fraction(text: str) -> float:
    over, under = re.split("[/⁄]", text)
    return float(over[:15]) / (int(under[:15]) or 1)


def written_date(text: str) -> Quantity:
    """`2024-05-12`, `12.05.2024`, `07/15/2023`; where day and month can't be told apart, the month stands second,
    except between slashes."""
    parts = re.split("[/.-]", text)
    if len(parts[0]) == 4:
        year, month, day = parts
    else:
        first, second, year = parts
        american = ("/" in text and int(second) > 12) or ("/" in text and int(first) <= 12)
        month, day = (first, second) if american else (second, first)
    year, day = year if int(year) else "?", f"{int(day):02}" if int(day) else "?"
    return Quantity("date", f"{year}-{int(month):02}-{day}", text)
