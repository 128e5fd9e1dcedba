"""Numbers with their units, dates and times, normalised so that equal values compare equal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from holdfast.metrics.facts.tables import rows_of, tables
from holdfast.metrics.facts.tokens import Token

_GROUPED = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?")
_MONEY = frozenset("dollars euros pounds yen rupees francs cents".split())
_AROUND_NAMED = frozenset({"the", "of", "a", "in", "on", "by", "since", "until", "till", "from", "before", "after"})
_ONE = ("a", "an", "one", "half", "several", "few")
_BEFORE_A_UNIT = ("a", "per", "one", "each")
"""A "second" behind these is no rank but a time."""
_MILLIONS = {"m": 1e6, "b": 1e9, "t": 1e12}
"""Scales behind an amount of money, which elsewhere are units."""
_BEFORE_A_TIME = ("at", "by", "until", "around", "is", "about")
_NATIONAL = ("swiss", "us", "american", "indian", "british")


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


@cache
def units() -> dict[str, tuple[str, float]]:
    """Every way to write a unit, its base unit and the factor."""
    found = {}
    for head, forms in rows_of("units.txt"):
        base, factor = head.split()
        found.update({form: (base, float(factor)) for form in forms.split()})
    return found


@cache
def calendar() -> dict[str, tuple[str, str, bool]]:
    """Every way to write a month, a weekday or a part of the clock: kind, value, and whether it is a word, too."""
    found = {}
    for head, forms in rows_of("calendar.txt"):
        kind, value = head.split()
        found.update({form.rstrip("!"): (kind, value, form.endswith("!")) for form in forms.split()})
    return found


def read_quantities(tokens: Sequence[Token], language: str) -> tuple[list[tuple[int, Quantity]], set[int]]:
    """The quantities among tokens, each with the place where it begins, and the places that they take up."""
    return _Reader(tokens, language).read()


def value_of(number: str) -> str:
    """A normalised number without its unit: `20 euros` -> `20`."""
    return number.partition(" ")[0]


def plain(value: float) -> str:
    """A number as briefly as it is exact enough.

    >>> plain(4.5e6), plain(0.25)
    ('4500000', '0.25')
    """
    return f"{value:.10g}" if value < 1e10 else f"{value:.15g}"


class _Reader:
    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        self._tokens = tokens
        self._words = tables(language).numbers
        self._found: list[tuple[int, Quantity]] = []
        self._used: set[int] = set()

    def read(self) -> tuple[list[tuple[int, Quantity]], set[int]]:
        calendar_words = calendar()
        at, end = 0, len(self._tokens)
        while at < end:
            token = self._tokens[at]
            after = self._spoken_time(at) if token.lower in ("past", "to") else at
            if after > at:
                at = after
                continue
            if token.kind == "word":
                if token.lower in calendar_words:
                    after = self._named_day(at)
                if after == at and token.lower in self._words:
                    after = self._number(at)
            elif token.kind in ("number", "fraction"):
                after = self._number(at)
            elif token.kind == "date":
                after = self._keep(at, at + 1, _written_date(token.text))
            elif token.kind == "time":
                after = self._time(at, token.text, at + 1)
            at = max(after, at + 1)
        return self._found, self._used

    def _lower(self, at: int) -> str:
        return self._tokens[at].lower if 0 <= at < len(self._tokens) else ""

    def _keep(self, start: int, end: int, quantity: Quantity | None) -> int:
        if quantity is None:
            return start
        self._found.append((start, quantity))
        self._used.update(range(start, end))
        return end

    def _form(self, start: int, end: int) -> str:
        text = " ".join(token.text for token in self._tokens[start:end])
        return re.sub(r"(?<=[$€£¥₹]) | (?=[%,.°])", "", text)

    # Dates and times

    def _named_day(self, at: int) -> int:
        kind, value, is_word = calendar()[self._lower(at)]
        if kind == "month":
            return self._month(at, value, is_word)
        if kind == "weekday":
            dated = at + 1 < len(self._tokens) and self._tokens[at + 1].text[0] in "0123456789,."
            if is_word and not (self._tokens[at].text[0].isupper() and (at or dated)):
                return at
            end = at + 1 + (self._lower(at + 1) == ".")
            return self._keep(at, end, Quantity("date", f"weekday {value}", self._tokens[at].text))
        if kind == "word":
            return self._keep(at, at + 1, Quantity("time", value, self._tokens[at].text))
        return at

    def _month(self, at: int, month: str, is_word: bool) -> int:
        start, end, day, year = at, at + 1, "?", "?"
        if self._lower(end) == "." and self._tokens[end + 1 : end + 2] and self._tokens[end + 1].kind == "number":
            end += 1
        before = at - 1
        if self._lower(before) == "of":
            before -= 1
        if self._lower(before) in ("st", "nd", "rd", "th"):
            before -= 1
        if found := self._day(before):
            day, start = found, before
        elif found := self._day(end):
            day, end = found, end + 1
            end += self._lower(end) in ("st", "nd", "rd", "th")
        skip = end + (self._lower(end) in (",", "of"))
        if re.fullmatch(r"1\d{3}|20\d\d", self._lower(skip)):
            year, end = self._lower(skip), skip + 1
        named = self._tokens[at].text[0].isupper() and at > 0 and self._lower(at - 1) in _AROUND_NAMED
        if is_word and day == year == "?" and not named:
            return at
        for place in range(start, at):
            self._used.add(place)
        self._found = [(place, quantity) for place, quantity in self._found if place < start]
        form = self._form(start, end)
        return self._keep(start, end, Quantity("date", f"{year}-{int(month):02}-{day}", form))

    def _day(self, at: int) -> str:
        """The day of the month that stands there: 12, 12th, twelfth."""
        text = self._lower(at)
        if text.isdecimal() and len(text) < 3 and 1 <= int(text) <= 31:
            return f"{int(text):02}"
        kind, value = self._words.get(text, ("", 0.0))
        return f"{int(value):02}" if kind == "ordinal" and value <= 31 else ""

    def _time(self, start: int, text: str, end: int) -> int:
        hour, minute = (int(part) for part in [*text.split(":"), "0"][:2])
        half = self._half(end) or self._part_of_day(end)
        key = f"{hour}:{minute:02}"
        if half in ("am", "pm"):
            key = f"{hour % 12 + 12 * (half == 'pm')}:{minute:02}"
            end += 1 if self._half(end) else 3
        else:
            end += half == "oclock"
            key += "?" if hour <= 12 else ""
        end += half != "" and self._lower(end) == "." and self._lower(end - 1) in ("a.m", "p.m")
        return self._keep(start, end, Quantity("time", key, self._form(start, end)))

    def _spoken_time(self, at: int) -> int:
        """`half past three`, `at ten to six`: the minutes stand before "past" or "to", the hour behind."""
        words = self._lower(at - 1), self._lower(at + 1)
        minutes = {"half": 30.0, "quarter": 15.0}.get(words[0], self._words.get(words[0], ("", 0.0))[1])
        hour = float(words[1]) if words[1].isdecimal() else self._words.get(words[1], ("", 0.0))[1]
        start = at - 1 - (self._lower(at - 2) == "a")
        sure = words[0] in ("half", "quarter") or self._lower(start - 1) in _BEFORE_A_TIME
        if not (sure and minutes in (5, 10, 15, 20, 25, 30) and 1 <= hour <= 12):
            return at
        since = int(hour * 60 + (minutes if self._lower(at) == "past" else -minutes)) % 720
        self._found = [(place, quantity) for place, quantity in self._found if place < start]
        return self._time(start, f"{since // 60 or 12}:{since % 60:02}", at + 2)

    def _half(self, at: int) -> str:
        kind, value, _ = calendar().get(self._lower(at).rstrip("."), ("", "", False))
        return value if kind == "clock" else ""

    def _part_of_day(self, at: int) -> str:
        """`in the morning`, `in the evening`, behind a time."""
        if (self._lower(at), self._lower(at + 1)) != ("in", "the"):
            return ""
        return {"morning": "am", "afternoon": "pm", "evening": "pm"}.get(self._lower(at + 2), "")

    # Numbers

    def _number(self, start: int) -> int:
        value, end, ordinal = self._value(start)
        if end == start:
            return start
        if self._lower(end) in ("st", "nd", "rd", "th") and self._tokens[end - 1].kind == "number":
            ordinal, end = True, end + 1
        if ordinal:
            if self._lower(end) in ("of",) and self._lower(end + 1) in calendar():
                return self._month(end + 1, calendar()[self._lower(end + 1)][1], False)
            if calendar().get(self._lower(end), ("",))[0] == "month":
                return self._month(end, calendar()[self._lower(end)][1], False)
            return self._keep(start, end, Quantity("number", f"{plain(value)}th", self._form(start, end), value, "th"))
        if (self._half(end) or self._part_of_day(end)) and value % 0.5 == 0 and value <= 24:
            return self._time(start, f"{int(value)}:{'30' if value % 1 else '00'}", end)
        whole = self._among(end)
        if whole > end:
            among, after, _ = self._value(whole)
            if value < among <= 1000:
                return self._keep(start, after, _number(100 * value / among, "percent", self._form(start, after)))
        return self._with_unit(start, value, end)

    def _value(self, start: int) -> tuple[float, int, bool]:
        """The number that begins here, in digits or words, where it ends, and whether it is an ordinal."""
        token, at = self._tokens[start], start + 1
        if token.kind == "number":
            value = _digits(token.text)
            if self._tokens[at : at + 1] and self._tokens[at].kind == "fraction":
                value, at = value + _fraction(self._tokens[at].text), at + 1
        elif token.kind == "fraction":
            value = _fraction(token.text)
        else:
            return self._spelt(start)
        if self._half_more(at):
            value, at = value + 0.5, at + 3
        while self._words.get(self._lower(at), ("",))[0] == "scale" and self._lower(at) not in ("score",):
            value, at = value * self._words[self._lower(at)][1], at + 1
        return value, at, False

    def _spelt(self, start: int) -> tuple[float, int, bool]:
        """A number in words: `two hundred and fifty`, `twenty-five`, `half a million`, `a dozen`, `two thirds`."""
        total = current = last = 0.0
        at, seen = start, False
        while True:
            kind, value = self._words.get(self._lower(at), ("", 0.0))
            if kind == "number" and (not seen or last >= 100 or (last >= 20 and last % 10 == 0 and value < 10)):
                current, seen, last = current + value, True, value
            elif kind == "scale" and (seen or self._lower(at - 1) in _ONE):
                current, seen, last = (current or 1.0) * value, True, value
                if value >= 1000:
                    total, current = total + current, 0.0
            elif kind == "plus" and not seen:
                following, end, _ = self._value(at + 1) if at + 1 < len(self._tokens) else (0.0, at, False)
                return following + value, max(end, at + 1), False
            elif seen and self._half_more(at):
                current, at = current + 0.5, at + 2
            elif kind == "part":
                return (*self._share(at, total + current if seen else 1.0, seen), False)
            elif kind == "ordinal" and not seen and self._lower(at - 1) in _ONE and self._lower(at + 1) == "of":
                return 1 / value, at + 1, False
            elif kind == "ordinal" and (not seen or last >= 20) and self._lower(at - 1) not in _BEFORE_A_UNIT:
                return total + current + value, at + 1, True
            elif kind == "alone" and not seen:
                return value, at + 1, False
            elif not (seen and self._joins(at, last)):
                break
            at += 1
        if not seen or (at == start + 1 and self._lower(start) == "one" and not self._counts(at)):
            return 0.0, start, False
        return total + current, at, False

    def _half_more(self, at: int) -> bool:
        return [self._lower(place) for place in (at, at + 1, at + 2)] == ["and", "a", "half"]

    def _share(self, at: int, count: float, counted: bool) -> tuple[float, int]:
        """`half a million`, `a quarter of`, `two thirds`; a quarter by itself may be three months."""
        part = self._words[self._lower(at)][1]
        shared_out = counted or (self._lower(at - 1) in _ONE and self._lower(at + 1) in ("of", "an"))
        if self._lower(at).startswith("quarter") and not shared_out:
            return 0.0, at
        scale = at + 1 + (self._lower(at + 1) in ("a", "an"))
        kind, value = self._words.get(self._lower(scale), ("", 0.0))
        return (count * part * value, scale + 1) if kind == "scale" else (count * part, at + 1)

    def _joins(self, at: int, last: float) -> bool:
        following = self._words.get(self._lower(at + 1), ("", 0.0))
        if self._lower(at) == "-":
            return following[0] == "part" or (following[0] in ("number", "ordinal") and 20 <= last < 100)
        return self._lower(at) == "and" and last >= 100 and following[0] == "number"

    def _counts(self, at: int) -> bool:
        """Whether what stands here makes a number of the "one" before it."""
        scaled = self._words.get(self._lower(at), ("",))[0] == "scale"
        return scaled or self._lower(at) in units() or self._among(at) > at

    def _among(self, at: int) -> int:
        """Where the number begins of which "one in" or "one out of" is a share; `at` where there is none."""
        after = (
            at + 1
            if self._lower(at) == "in"
            else at + 2
            if (self._lower(at), self._lower(at + 1)) == ("out", "of")
            else at
        )
        counted = (
            after > at
            and after < len(self._tokens)
            and (self._tokens[after].kind == "number" or self._words.get(self._lower(after), ("",))[0] == "number")
        )
        return after if counted else at

    def _with_unit(self, start: int, value: float, end: int) -> int:
        known = units()
        unit, factor, begin = "", 1.0, start
        after = end + (self._lower(end) == "-" and self._lower(end + 1) in known)
        if (self._lower(after), self._lower(after + 1)) == ("per", "cent"):
            return self._keep(begin, after + 2, _number(value, "percent", self._form(begin, after + 2)))
        if self._lower(after) == "s" and value >= 1000:
            return self._keep(begin, after + 1, _number(value, "", self._form(begin, after + 1)))
        after += value < 1 and self._lower(after) == "of" and self._lower(after + 1) in ("a", "an")
        after += value < 1 and self._lower(after) in ("a", "an")
        after += self._lower(after) in _NATIONAL and known.get(self._lower(after + 1), ("",))[0] in _MONEY
        if self._lower(after) == "°" and self._lower(after + 1) in ("c", "f"):
            unit, end = known["°" + self._lower(after + 1)][0], after + 2
        elif self._lower(after) in _MILLIONS and known.get(self._lower(begin - 1), ("",))[0] in _MONEY:
            value, end = value * _MILLIONS[self._lower(after)], after + 1
        elif self._lower(after) in known:
            (unit, factor), end = known[self._lower(after)], after + 1
            if unit == "degrees" and self._lower(end) in ("celsius", "fahrenheit"):
                unit, end = self._lower(end), end + 1
            if self._lower(end) == "per" and self._lower(end + 1) in ("hour", "h") and unit == "m":
                unit, end = "m/h", end + 2
        if unit not in _MONEY:
            place = begin - 1
            place -= self._lower(place) == "." and self._lower(place - 1) == "rs"
            begin -= self._lower(place) == "$" and self._lower(place - 1) == "us"
            money = known.get(self._lower(place), ("", 1.0))
            if money[0] in _MONEY and place not in self._used:
                unit, factor, begin = money[0], 1.0, min(begin - 1, place)
        elif self._lower(begin - 1) in known and known[self._lower(begin - 1)][0] in _MONEY:
            begin -= 1
        if not unit and 0 < value < 1 and not self._tokens[start].text.startswith(("0", ".")):
            value, unit = 100 * value, "percent"
        return self._keep(begin, end, _number(value * factor, unit, self._form(begin, end)))


def _number(value: float, unit: str, form: str) -> Quantity:
    value = round(value, 6)
    return Quantity("number", f"{plain(value)} {unit}".strip(), form, value, unit)


def _digits(text: str) -> float:
    """ASCII digits without grouping, decimal comma or point.

    >>> _digits("1,00,000"), _digits("4,5"), _digits("1.234.567"), _digits("12")
    (100000.0, 4.5, 1234567.0, 12.0)
    """
    text = text.replace(" ", "")
    if _GROUPED.fullmatch(text):
        text = (
            text.replace(",", "") if text.rfind(",") < text.rfind(".") or text.count(".") < 2 else text.replace(".", "")
        )
    text = text.replace(".", "") if text.count(".") > 1 else text
    text = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text.replace(",", "")
    return min(float(text), 1e300)


def _fraction(text: str) -> float:
    over, under = re.split("[/⁄]", text)
    return int(over[:15]) / (int(under[:15]) or 1)


def _written_date(text: str) -> Quantity:
    """`2024-05-12`, `12.05.2024`, `07/15/2023`; where day and month can't be told apart, the month stands second,
    except between slashes."""
    parts = re.split("[/.-]", text)
    if len(parts[0]) == 4:
        year, month, day = parts
    else:
        first, second, year = parts
        american = ("/" in text and int(second) > 12) or ("/" in text and int(first) <= 12)
        month, day = (first, second) if american else (second, first)
    return Quantity("date", f"{year}-{int(month):02}-{int(day):02}", text)
