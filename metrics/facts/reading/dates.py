"""Reads dates and times from tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.metrics.facts.reading.quantity import Quantity, clock_words
from holdfast.metrics.facts.reading.row import Row
from holdfast.metrics.facts.reading.tokens import Token

ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_ROWS, _DASHES = frozenset({"1-5", "6-7"}), frozenset("-–—")
"""Ranges of days with a name of their own (working days, weekend), and the marks that write a range."""
_CURRENCIES = frozenset("$€£¥₹")


class DateReader(Row):
    """A row of tokens that can read dates and times.

    The `read_...` methods keep what they find and return its end, or the place they were given if they find nothing.
    """

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        super().__init__(tokens, language)
        self._clock = clock_words(language)

    def read_calendar_word(self, at: int) -> int:
        """Read the date or time around a calendar word: a month, a weekday, noon, or "past" in "half past three"."""
        kind, value, is_word = self.calendar[self.lower(at)]
        if kind == "month":
            return self.read_month(at, value, is_word)
        if kind == "weekday":
            dated = at + 1 < len(self.tokens) and self.tokens[at + 1].text[0] in "0123456789,."
            end = at + 1 + (self.lower(at + 1) == ".")
            ranged = self.calendar.get(self.lower(end + 1), ("",))[0] == "weekday"
            if is_word and not (self.tokens[at].text[0].isupper() and (at or dated or ranged)):
                return at
            if value in _ROWS:
                return self.keep(at, end, Quantity("date", f"weekday {value}", self.tokens[at].text, implied=True))
            return self._read_range(at, value, end) or self.keep(
                at, end, Quantity("date", f"weekday {value}", self.tokens[at].text)
            )
        if kind == "word":
            return self.keep(at, at + 1, Quantity("time", value, self.tokens[at].text))
        if value in ("past", "to"):
            return self._read_spoken_time(at)
        return self._read_half_hour(at) if value == "half" else at

    def _read_range(self, at: int, first: str, end: int) -> int:
        """Read all working days (Monday to Friday) or the weekend; return the end, or 0 for a single day."""
        through = self.lower(end) in _DASHES or self.has_job(end, "through")
        _, last, _ = self.calendar.get(self.lower(end + 1), ("", "", False))
        row = f"{first}-{last}"
        if row not in _ROWS or not (through or (row == "6-7" and self.has_job(end, "adds"))):
            return 0
        return self.keep(at, end + 2, Quantity("date", f"weekday {row}", self.form(at, end + 2)))

    def read_month(self, at: int, month: str, is_word: bool) -> int:
        """Read a month with its day and year, if any.

        Args:
            at: Index of the month's token.
            month: The number of the month.
            is_word: Whether the name of the month is also a common word ("may"), which must have a day, a year, a
                preposition or the like beside it to count as a date.
        """
        start, end, day, year = at, at + 1, "?", "?"
        if self.lower(end) == "." and self.tokens[end + 1 : end + 2] and self.tokens[end + 1].kind == "number":
            end += 1
        before = at - 1
        if self._is_of(before):
            before -= 1
        if self.decimal == "," and self.lower(before) == "." and self._read_day(before - 1):
            before -= 1
        if self.lower(before) in ORDINAL_ENDINGS:
            before -= 1
        verb = is_word and self.tokens[at].text.islower() and self._word_follows(at)
        if not verb and (found := self._read_day(before)):
            day, start = found, before
        elif found := self._read_day(end):
            day, end = found, end + 1
            end += self.lower(end) in ORDINAL_ENDINGS
        skip = end + (self.lower(end) == "," or self._is_of(end))
        if re.fullmatch(r"1\d{3}|20\d\d", self.lower(skip)):
            year, end = self.lower(skip), skip + 1
        named = self.tokens[at].text[0].isupper() and self.has_job(at - 1, "around_month")
        named = named or (self.has_job(at - 1, "before_month") and not self._word_follows(at))
        if is_word and day == year == "?" and not named:
            return at
        self.drop_from(start)
        form = self.form(start, end)
        return self.keep(start, end, Quantity("date", f"{year}-{int(month):02}-{day}", form))

    def _word_follows(self, at: int) -> bool:
        return at + 1 < len(self.tokens) and self.tokens[at + 1].kind == "word" and not self.has_job(at + 1, "small")

    def _is_of(self, at: int) -> bool:
        return self.lower(at) == "of" or self.has_job(at, "of")

    def _read_day(self, at: int) -> str:
        """Return the day of the month at a place (12, 12th, twelfth) as two digits; "" if there is none."""
        text = self.lower(at)
        if text.isdecimal() and len(text) < 3 and 1 <= int(text) <= 31:
            return f"{int(text):02}"
        kind, value = self.number_word(at)
        return f"{int(value):02}" if kind == "ordinal" and value <= 31 else ""

    def read_time(self, start: int, text: str, end: int) -> int:
        """Keep a time together with the words after it (pm, o'clock).

        Args:
            start: Index of the time's first token.
            text: The time as `hours:minutes`.
            end: End of the time, exclusive.
        """
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

    def read_hour(self, start: int, value: float, end: int) -> int:
        """Read a time of day that begins with a number: 6 pm, six heures et demie du soir.

        A word that also counts hours ("heures") makes it a time only before a part of the day ("du soir") or after a
        word that says when ("à").

        Args:
            start: Index of the number's first token.
            value: The value of the number.
            end: End of the number, exclusive.
        """
        part, after = self._clock_word(end)
        if not part:
            return start
        sure = part in ("am", "pm")
        if part == "oclock":
            more, after = self.read_addition(after)
            value += more
            sure = self._clock_word(after)[0] in ("am", "pm") or self.lower(end) not in self.units
            sure = sure or self.has_job(start - 1, "at")
            end = after if more else end
            minutes = self._small_number(after) if self.has_job(start - 1, "at") and not more else 0
            if 0 < minutes < 60 and self.lower(after + 1) not in self.units and value % 1 == 0 and value <= 24:
                return self.read_time(start, f"{int(value)}:{int(minutes):02}", after + 1)
        if not sure or value > 24 or self._is_amount(start):
            return start
        if found := re.fullmatch(r"\d{1,2}\.(\d\d)", self.lower(start)):
            if int(found[1]) > 59:
                return start
            return self.read_time(start, self.lower(start).replace(".", ":"), end)
        if value * 4 % 1:
            return start
        return self.read_time(start, f"{int(value)}:{int(value % 1 * 60):02}", end)

    def _is_amount(self, at: int) -> bool:
        """Return whether a mark before a number shows that it isn't a time: $3, -5, minus 5."""
        before = self.lower(at - 1)
        return before in _CURRENCIES or before == "minus" or self.number_word(at - 1)[0] == "sign"

    def _read_spoken_time(self, at: int) -> int:
        """Read a time around "past" or "to": `half past three`, `at ten to six`."""
        kind, minutes = self.number_word(at - 1)
        quarters = kind == "part" and minutes in (0.25, 0.5)
        minutes *= 60 if quarters else 1
        hour = self._small_number(at + 1)
        start = at - 1 - (self.lower(at - 2) == "a")
        sure = quarters or self.has_job(start - 1, "before_minutes")
        if not (sure and minutes in (5, 10, 15, 20, 25, 30) and 1 <= hour <= 12):
            return at
        return self._keep_minutes(
            start, hour * 60 + (minutes if self.calendar[self.lower(at)][1] == "past" else -minutes), at + 2
        )

    def _read_half_hour(self, at: int) -> int:
        """Read a half hour counted to the next hour: `halb acht`, which is half past seven."""
        hour = self._small_number(at + 1)
        return self._keep_minutes(at, hour * 60 - 30, at + 2) if 1 <= hour <= 12 else at

    def _keep_minutes(self, start: int, minutes: float, end: int) -> int:
        """Keep a time given in minutes since midnight or noon."""
        since = int(minutes) % 720
        self.drop_from(start)
        return self.read_time(start, f"{since // 60 or 12}:{since % 60:02}", end)

    def _small_number(self, at: int) -> float:
        text = self.lower(at)
        return float(text) if text.isdecimal() else self.number_word(at)[1]

    def _clock_word(self, at: int) -> tuple[str, int]:
        """Return what follows a time (am, pm, oclock, or "" for nothing), and its end."""
        for words, value in self._clock.get(self.lower(at).rstrip("."), ()):
            if all(self.lower(at + i) == word for i, word in enumerate(words[1:], 1)):
                return value, at + len(words)
        return "", at
