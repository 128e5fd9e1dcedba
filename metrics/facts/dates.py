"""Dates and times among tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.metrics.facts.meanings import tables
from holdfast.metrics.facts.quantity import Quantity, calendar
from holdfast.metrics.facts.tables import grammar
from holdfast.metrics.facts.tokens import Token

_AROUND_NAMED = frozenset(
    "the of a in on by since until till from before after early mid late this last next every during through "
    "throughout between and or to - – about around".split()
)
_BEFORE_A_TIME = ("at", "by", "until", "around", "is", "about")


class DateReader:
    """Tokens, the quantities found among them with the places where they begin, and the places that they take up."""

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        self._tokens = tokens
        self._words = tables(language).numbers
        self._jobs = tables(language).jobs
        self._calendar = calendar(language)
        self._decimal = grammar(language).decimal
        self._found: list[tuple[int, Quantity]] = []
        self._used: set[int] = set()

    def _lower(self, at: int) -> str:
        return self._tokens[at].lower if 0 <= at < len(self._tokens) else ""

    def _keep(self, start: int, end: int, quantity: Quantity) -> int:
        self._found.append((start, quantity))
        self._used.update(range(start, end))
        return end

    def _form(self, start: int, end: int) -> str:
        text = " ".join(token.text for token in self._tokens[start:end])
        return re.sub(r"(?<=[$€£¥₹]) |(?<=\A-) | (?=[%,.°])", "", text)

    def _named_day(self, at: int) -> int:
        kind, value, is_word = self._calendar[self._lower(at)]
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
        if self._is_of(before):
            before -= 1
        if self._decimal == "," and self._lower(before) == "." and self._day(before - 1):
            before -= 1
        if self._lower(before) in ("st", "nd", "rd", "th"):
            before -= 1
        if found := self._day(before):
            day, start = found, before
        elif found := self._day(end):
            day, end = found, end + 1
            end += self._lower(end) in ("st", "nd", "rd", "th")
        skip = end + (self._lower(end) == "," or self._is_of(end))
        if re.fullmatch(r"1\d{3}|20\d\d", self._lower(skip)):
            year, end = self._lower(skip), skip + 1
        named = self._tokens[at].text[0].isupper() and at > 0 and self._lower(at - 1) in _AROUND_NAMED
        if is_word and day == year == "?" and not named:
            return at
        self._found = [(place, quantity) for place, quantity in self._found if place < start]
        form = self._form(start, end)
        return self._keep(start, end, Quantity("date", f"{year}-{int(month):02}-{day}", form))

    def _is_of(self, at: int) -> bool:
        return self._lower(at) == "of" or "of" in self._jobs.get(self._lower(at), ())

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
        kind, value, _ = self._calendar.get(self._lower(at).rstrip("."), ("", "", False))
        return value if kind == "clock" else ""

    def _part_of_day(self, at: int) -> str:
        """`in the morning`, `in the evening`, behind a time."""
        if (self._lower(at), self._lower(at + 1)) != ("in", "the"):
            return ""
        return {"morning": "am", "afternoon": "pm", "evening": "pm"}.get(self._lower(at + 2), "")
