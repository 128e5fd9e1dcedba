"""Dates and times among tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.metrics.facts.reading.quantity import Quantity, clock_words
from holdfast.metrics.facts.reading.row import Row
from holdfast.metrics.facts.reading.tokens import Token

ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_ROWS, _DASHES = frozenset({"1-5", "6-7"}), frozenset("-–—")
"""Days that go by one name: those of work, and the weekend; the marks between the first and the last."""
_CURRENCIES = frozenset("$€£¥₹")


class DateReader(Row):
    """A row in which dates and times are read: `named_day`, `month`, `time` and `hour` keep what they find, and return
    where it ends, or where they were asked to begin if they find nothing."""

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        super().__init__(tokens, language)
        self._clock = clock_words(language)

    def named_day(self, at: int) -> int:
        """What a word of the calendar begins: a month, a weekday, noon, `past` and `to` of a time in words."""
        kind, value, is_word = self.calendar[self.lower(at)]
        if kind == "month":
            return self.month(at, value, is_word)
        if kind == "weekday":
            dated = at + 1 < len(self.tokens) and self.tokens[at + 1].text[0] in "0123456789,."
            if is_word and not (self.tokens[at].text[0].isupper() and (at or dated)):
                return at
            end = at + 1 + (self.lower(at + 1) == ".")
            if value in _ROWS:
                return self.keep(at, end, Quantity("date", f"weekday {value}", self.tokens[at].text, implied=True))
            return self._days(at, value, end) or self.keep(
                at, end, Quantity("date", f"weekday {value}", self.tokens[at].text)
            )
        if kind == "word":
            return self.keep(at, at + 1, Quantity("time", value, self.tokens[at].text))
        if value in ("past", "to"):
            return self._spoken_time(at)
        return self._half_to(at) if value == "half" else at

    def _days(self, at: int, first: str, end: int) -> int:
        """The end of all days of work, Monday to Friday, or of the weekend; 0 where a day stands alone."""
        through = self.lower(end) in _DASHES or self.does(end, "through")
        _, last, _ = self.calendar.get(self.lower(end + 1), ("", "", False))
        row = f"{first}-{last}"
        if row not in _ROWS or not (through or (row == "6-7" and self.does(end, "adds"))):
            return 0
        return self.keep(at, end + 2, Quantity("date", f"weekday {row}", self.form(at, end + 2)))

    def month(self, at: int, month: str, is_word: bool) -> int:
        """A month with the day and the year beside it; one that `is_word`, too, needs them or a preposition."""
        start, end, day, year = at, at + 1, "?", "?"
        if self.lower(end) == "." and self.tokens[end + 1 : end + 2] and self.tokens[end + 1].kind == "number":
            end += 1
        before = at - 1
        if self._is_of(before):
            before -= 1
        if self.decimal == "," and self.lower(before) == "." and self._day(before - 1):
            before -= 1
        if self.lower(before) in ORDINAL_ENDINGS:
            before -= 1
        verb = is_word and self.tokens[at].text.islower() and self._word_follows(at)
        if not verb and (found := self._day(before)):
            day, start = found, before
        elif found := self._day(end):
            day, end = found, end + 1
            end += self.lower(end) in ORDINAL_ENDINGS
        skip = end + (self.lower(end) == "," or self._is_of(end))
        if re.fullmatch(r"1\d{3}|20\d\d", self.lower(skip)):
            year, end = self.lower(skip), skip + 1
        named = self.tokens[at].text[0].isupper() and self.does(at - 1, "around_month")
        named = named or (self.does(at - 1, "before_month") and not self._word_follows(at))
        if is_word and day == year == "?" and not named:
            return at
        self.drop_from(start)
        form = self.form(start, end)
        return self.keep(start, end, Quantity("date", f"{year}-{int(month):02}-{day}", form))

    def _word_follows(self, at: int) -> bool:
        return at + 1 < len(self.tokens) and self.tokens[at + 1].kind == "word" and not self.does(at + 1, "small")

    def _is_of(self, at: int) -> bool:
        return self.lower(at) == "of" or self.does(at, "of")

    def _day(self, at: int) -> str:
        """The day of the month that stands there: 12, 12th, twelfth."""
        text = self.lower(at)
        if text.isdecimal() and len(text) < 3 and 1 <= int(text) <= 31:
            return f"{int(text):02}"
        kind, value = self.number_word(at)
        return f"{int(value):02}" if kind == "ordinal" and value <= 31 else ""

    def time(self, start: int, text: str, end: int) -> int:
        """A time in digits, with what stands behind its end: 10:30 pm."""
        hour, minute = (int(part) for part in [*text.split(":"), "0"][:2])
        part, after = self._clock_word(end)
        if part == "oclock":
            end = after
            part, after = self._clock_word(end)
        key = f"{hour}:{minute:02}"
        if part in ("am", "pm"):
            key = f"{hour % 12 + 12 * (part == 'pm')}:{minute:02}"
            end = after + (self.lower(after) == "." and self.lower(after - 1) in ("a.m", "p.m"))
        elif hour <= 12:
            key += "?"
        return self.keep(start, end, Quantity("time", key, self.form(start, end)))

    def hour(self, start: int, value: float, end: int) -> int:
        """The end of a time of day that a number begins: 6 pm, six heures et demie du soir; `start` where it is none.

        What counts hours, too, tells the time before a part of the day, or behind a word that says when.
        """
        part, after = self._clock_word(end)
        if not part:
            return start
        sure = part in ("am", "pm")
        if part == "oclock":
            more, after = self.more(after)
            value += more
            sure = self._clock_word(after)[0] in ("am", "pm") or self.lower(end) not in self.units
            sure = sure or self.does(start - 1, "at")
            end = after if more else end
            minutes = self._small_number(after) if self.does(start - 1, "at") and not more else 0
            if 0 < minutes < 60 and self.lower(after + 1) not in self.units and value % 1 == 0 and value <= 24:
                return self.time(start, f"{int(value)}:{int(minutes):02}", after + 1)
        if not sure or value > 24 or self._is_amount(start):
            return start
        if found := re.fullmatch(r"\d{1,2}\.(\d\d)", self.lower(start)):
            if int(found[1]) > 59:
                return start
            return self.time(start, self.lower(start).replace(".", ":"), end)
        if value * 4 % 1:
            return start
        return self.time(start, f"{int(value)}:{int(value % 1 * 60):02}", end)

    def _is_amount(self, at: int) -> bool:
        """Whether a mark before a number shows that it tells no time: $3, -5, minus 5."""
        before = self.lower(at - 1)
        return before in _CURRENCIES or before == "minus" or self.number_word(at - 1)[0] == "sign"

    def _spoken_time(self, at: int) -> int:
        """`half past three`, `at ten to six`: the minutes stand before "past" or "to", the hour behind."""
        kind, minutes = self.number_word(at - 1)
        quarters = kind == "part" and minutes in (0.25, 0.5)
        minutes *= 60 if quarters else 1
        hour = self._small_number(at + 1)
        start = at - 1 - (self.lower(at - 2) == "a")
        sure = quarters or self.does(start - 1, "before_minutes")
        if not (sure and minutes in (5, 10, 15, 20, 25, 30) and 1 <= hour <= 12):
            return at
        return self._minutes(
            start, hour * 60 + (minutes if self.calendar[self.lower(at)][1] == "past" else -minutes), at + 2
        )

    def _half_to(self, at: int) -> int:
        """`halb acht`, which is half past seven."""
        hour = self._small_number(at + 1)
        return self._minutes(at, hour * 60 - 30, at + 2) if 1 <= hour <= 12 else at

    def _minutes(self, start: int, minutes: float, end: int) -> int:
        since = int(minutes) % 720
        self.drop_from(start)
        return self.time(start, f"{since // 60 or 12}:{since % 60:02}", end)

    def _small_number(self, at: int) -> float:
        text = self.lower(at)
        return float(text) if text.isdecimal() else self.number_word(at)[1]

    def _clock_word(self, at: int) -> tuple[str, int]:
        """What stands behind a time (am, pm, oclock), "" for nothing, and where it ends."""
        for words, value in self._clock.get(self.lower(at).rstrip("."), ()):
            if all(self.lower(at + i) == word for i, word in enumerate(words[1:], 1)):
                return value, at + len(words)
        return "", at
