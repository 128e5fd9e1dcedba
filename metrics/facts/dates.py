"""Dates and times among tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.metrics.facts.meanings import tables
from holdfast.metrics.facts.quantity import Quantity, calendar, clock_words, units
from holdfast.metrics.facts.tables import grammar
from holdfast.metrics.facts.tokens import Token

_CURRENCIES = frozenset("$€£¥₹")


class DateReader:
    """Tokens, the quantities found among them with the places where they begin, and the places that they take up."""

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        self._tokens = tokens
        self._words = tables(language).numbers
        self._jobs = tables(language).jobs
        self._calendar = calendar(language)
        self._clock = clock_words(language)
        self._units = units(language)
        self._additions = tables(language).more
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
        if value in ("past", "to"):
            return self._spoken_time(at)
        return self._half_to(at) if value == "half" else at

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
        named = self._tokens[at].text[0].isupper() and "around_month" in self._jobs.get(self._lower(at - 1), ())
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
        part, after = self._clock_word(end)
        if part == "oclock":
            end = after
            part, after = self._clock_word(end)
        key = f"{hour}:{minute:02}"
        if part in ("am", "pm"):
            key = f"{hour % 12 + 12 * (part == 'pm')}:{minute:02}"
            end = after + (self._lower(after) == "." and self._lower(after - 1) in ("a.m", "p.m"))
        elif hour <= 12:
            key += "?"
        return self._keep(start, end, Quantity("time", key, self._form(start, end)))

    def _hour(self, start: int, value: float, end: int) -> int:
        """The end of a time of day that a number begins: 6 pm, six heures et demie du soir; `start` where it is none.

        What counts hours, too, tells the time before a part of the day, or behind a word that says when.
        """
        part, after = self._clock_word(end)
        if not part:
            return start
        sure = part in ("am", "pm")
        if part == "oclock":
            more, after = self._more(after)
            value += more
            sure = self._clock_word(after)[0] in ("am", "pm") or self._lower(end) not in self._units
            sure = sure or "at" in self._jobs.get(self._lower(start - 1), ())
            end = after if more else end
        if not sure or value > 24 or self._is_amount(start):
            return start
        if found := re.fullmatch(r"\d{1,2}\.(\d\d)", self._lower(start)):
            if int(found[1]) > 59:
                return start
            return self._time(start, self._lower(start).replace(".", ":"), end)
        if value * 4 % 1:
            return start
        return self._time(start, f"{int(value)}:{int(value % 1 * 60):02}", end)

    def _is_amount(self, at: int) -> bool:
        """Whether a mark before a number shows that it tells no time: $3, -5, minus 5."""
        before = self._lower(at - 1)
        return before in _CURRENCIES or before == "minus" or self._words.get(before, ("",))[0] == "sign"

    def _more(self, at: int) -> tuple[float, int]:
        """What `and a half` adds to the number before it, and where it ends."""
        for words, value in self._additions:
            if self._lower(at) == words[0] and all(self._lower(at + i) == word for i, word in enumerate(words)):
                return value, at + len(words)
        return 0.0, at

    def _spoken_time(self, at: int) -> int:
        """`half past three`, `at ten to six`: the minutes stand before "past" or "to", the hour behind."""
        kind, minutes = self._words.get(self._lower(at - 1), ("", 0.0))
        quarters = kind == "part" and minutes in (0.25, 0.5)
        minutes *= 60 if quarters else 1
        hour = self._small_number(at + 1)
        start = at - 1 - (self._lower(at - 2) == "a")
        sure = quarters or "before_minutes" in self._jobs.get(self._lower(start - 1), ())
        if not (sure and minutes in (5, 10, 15, 20, 25, 30) and 1 <= hour <= 12):
            return at
        return self._minutes(
            start, hour * 60 + (minutes if self._calendar[self._lower(at)][1] == "past" else -minutes), at + 2
        )

    def _half_to(self, at: int) -> int:
        """`halb acht`, which is half past seven."""
        hour = self._small_number(at + 1)
        return self._minutes(at, hour * 60 - 30, at + 2) if 1 <= hour <= 12 else at

    def _minutes(self, start: int, minutes: float, end: int) -> int:
        since = int(minutes) % 720
        self._found = [(place, quantity) for place, quantity in self._found if place < start]
        return self._time(start, f"{since // 60 or 12}:{since % 60:02}", end)

    def _small_number(self, at: int) -> float:
        text = self._lower(at)
        return float(text) if text.isdecimal() else self._words.get(text, ("", 0.0))[1]

    def _clock_word(self, at: int) -> tuple[str, int]:
        """What stands behind a time (am, pm, oclock), "" for nothing, and where it ends."""
        for words, value in self._clock.get(self._lower(at).rstrip("."), ()):
            if all(self._lower(at + i) == word for i, word in enumerate(words[1:], 1)):
                return value, at + len(words)
        return "", at
