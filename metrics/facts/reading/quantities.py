"""Reads numbers, dates and times from tokens, normalised so that equal values compare equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from holdfast.language.language_files import language_files
from holdfast.language.lexicon_tables import grammar
from holdfast.language.meanings import tables
from holdfast.metrics.facts.reading.dates import ORDINAL_ENDINGS
from holdfast.metrics.facts.reading.number_units import UnitReader
from holdfast.metrics.facts.reading.quantity import (
    ROMAN,
    Quantity,
    calendar,
    compound_value,
    format_number,
    make_number,
    parse_date,
    parse_digits,
    parse_fraction,
)
from holdfast.metrics.facts.reading.tokens import Token


def read_quantities(tokens: Sequence[Token], language: str) -> tuple[list[tuple[int, Quantity]], set[int]]:
    """Read the quantities among tokens.

    Args:
        tokens: The tokens of a segment.
        language: The language code of the segment.

    Returns:
        Each quantity with the index of its first token, and the indices of all tokens that are part of a quantity.
    """
    return _Reader(tokens, language).read()


@cache
def _trigger_words(language: str) -> frozenset[str]:
    """Return the words that a quantity may begin with, or that indicate one."""
    known = tables(language)
    articles = {word for word, jobs in known.jobs.items() if "one" in jobs}
    return frozenset(calendar(language).keys() | known.numbers.keys() | known.long_numbers.keys() | articles)


@dataclass(slots=True)
class _Sum:
    """The value of a number in words, as read so far."""

    total: float = 0.0
    current: float = 0.0
    """The value since the last thousand, million, ..."""
    last: float = 0.0
    """The value of the last word."""
    seen: bool = False
    """Whether any word was read."""

    @property
    def value(self) -> float:
        return self.total + self.current

    def takes(self, value: float) -> bool:
        """Return whether a number word of this value can continue the number, as in "twenty five"."""
        return not self.seen or self.last >= 100 or (self.last >= 20 and self.last % 10 == 0 and value < 10)

    def is_century(self, value: float) -> bool:
        """Return whether a number word of this value makes what was read the century of a year: nineteen eighty."""
        return self.value == self.last and 13 <= self.last <= 20 and 10 <= value < 100

    def add(self, value: float) -> None:
        self.current, self.seen, self.last = self.current + value, True, value

    def scale(self, value: float) -> None:
        self.current, self.seen, self.last = (self.current or 1.0) * value, True, value
        if value >= 1000:
            self.total, self.current = self.total + self.current, 0.0


class _Reader(UnitReader):
    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        super().__init__(tokens, language)
        self._scales_alone = language in language_files()

    def read(self) -> tuple[list[tuple[int, Quantity]], set[int]]:
        triggers, joiner = _trigger_words(self.language), grammar(self.language).joiner
        at, end = 0, len(self.tokens)
        while at < end:
            token = self.tokens[at]
            after = at
            if token.kind == "word":
                if token.lower not in triggers and token.text not in ROMAN and not (joiner and len(token.lower) > 6):
                    at += 1
                    continue
                if token.lower in self.calendar:
                    after = self.read_calendar_word(at)
                if after == at and (token.lower in self.numbers or token.lower in self.long_numbers):
                    after = self._read_number(at)
                elif after == at and self.has_job(at, "one"):
                    after = self._read_article(at)
                elif after == at and token.text in ROMAN:
                    after = self._read_roman(at)
                elif after == at and joiner and len(token.lower) > 6:
                    after = self._read_compound(at, joiner)
            elif token.kind in ("number", "fraction"):
                after = self._read_number(at)
            elif token.kind == "date":
                after = self.keep(at, at + 1, parse_date(token.text))
            elif token.kind == "time":
                after = self.read_time(at, token.lower, at + 1)
            at = max(after, at + 1)
        return self.found, self.used

    def _read_number(self, start: int) -> int:
        kind, count = self.number_word(start)
        if kind == "implied" or (kind == "often" and self.has_job(start + 1, "each")):
            form = self.form(start, start + 1)
            return self.keep(start, start + 1, replace(make_number(count, "", form), implied=True))
        value, end, ordinal = self._read_value(start)
        if end == start:
            return start
        if self.lower(end) in ORDINAL_ENDINGS and self.tokens[end - 1].kind == "number":
            ordinal, end = True, end + 1
        if ordinal:
            named = end + (self.lower(end) == "of")
            if self.calendar.get(self.lower(named), ("",))[0] == "month":
                return self.read_month(named, self.calendar[self.lower(named)][1], False)
            return self.keep(
                start, end, Quantity("number", f"{format_number(value)}th", self.form(start, end), value, "th", value)
            )
        if (after := self.read_hour(start, value, end)) > start:
            return after
        whole = self._whole_place(end)
        if whole > end:
            among, after, _ = self._read_value(whole)
            if 1 <= value < among <= 1000:
                share = make_number(100 * value / among, "percent", self.form(start, after))
                return self.keep(start, after, replace(share, share=True))
        return self.keep_with_unit(start, value, end)

    def _read_value(self, start: int) -> tuple[float, int, bool]:
        """Return the number in digits or words that begins here, its end, and whether it is an ordinal."""
        token, at = self.tokens[start], start + 1
        if token.kind == "number":
            value = parse_digits(token.lower, self.decimal)
            if self.tokens[at : at + 1] and self.tokens[at].kind == "fraction":
                value, at = value + parse_fraction(self.tokens[at].lower), at + 1
        elif token.kind == "fraction":
            value = parse_fraction(token.lower)
        else:
            return self._read_words(start)
        more, at = self.read_addition(at)
        value += more
        at += self.lower(at) == "-" and self.number_word(at + 1)[0] == "scale"
        while self.number_word(at)[0] == "scale" and self.lower(at) not in ("score",):
            value, at = value * self.number_word(at)[1], at + 1
        return value, at, False

    def _read_words(self, start: int) -> tuple[float, int, bool]:
        """Read a number in words: `two hundred and fifty`, `twenty-five`, `half a million`, `a dozen`, `two thirds`."""
        number, at = _Sum(), start
        while True:
            several = self._read_several_words(at)
            kind, value = ("number", several[0]) if several else self.number_word(at)
            after = self._add_word(number, at, kind, value, several[1] if several else at + 1)
            if after == at:
                if (found := self._read_last_word(start, at, number, kind, value)) is not None:
                    return found
                if not (number.seen and self._joins(at, number.last)):
                    break
                after = at + 1
            at = after
        if not number.seen or (at == start + 1 and self.has_job(start, "one") and not self._counts(at)):
            return 0.0, start, False
        return number.value, at, False

    def _add_word(self, number: _Sum, at: int, kind: str, value: float, end: int) -> int:
        """Add the word at a place to a number; return its end, or the place itself if it can't be added."""
        if kind == "number" and self.language == "en" and number.is_century(value):
            number.scale(100)
        adds = kind == "and" and (not number.seen or value > number.last or number.last >= 100)
        if adds or (kind == "number" and number.takes(value)):
            number.add(value)
            return end
        if kind == "scale" and (number.seen or self._is_one(at - 1) or self._scales_alone):
            number.scale(value)
            return at + 1
        if number.seen and (more := self.read_addition(at))[0]:
            number.current += more[0]
            return more[1]
        return at

    def _read_last_word(
        self, start: int, at: int, number: _Sum, kind: str, value: float
    ) -> tuple[float, int, bool] | None:
        """Return the number that the word at a place completes (a part, an ordinal, ...), or None."""
        if kind == "plus" and not number.seen:
            following, end, _ = self._read_value(at + 1) if at + 1 < len(self.tokens) else (0.0, at, False)
            return following + value, max(end, at + 1), False
        if kind == "part":
            return (*self._read_share(at, number.value if number.seen else 1.0, number.seen), False)
        if kind == "ordinal" and value > 2 and self._is_share(start, at, number.seen and number.current == 1):
            return 1 / value, at + 1, False
        if kind == "ordinal" and (not number.seen or number.last >= 20) and not self.has_job(at - 1, "each"):
            return number.value + value, at + 1, True
        if kind == "alone" and not number.seen:
            return value, at + 1, False
        return None

    def _is_one(self, at: int) -> bool:
        """Return whether a word counts one or several of what follows: a third, several thousand."""
        return self.has_job(at, "one") or self.has_job(at, "several")

    def _read_several_words(self, at: int) -> tuple[float, int] | None:
        """Return the value and end of a number that the language writes in several words: quatre-vingt-dix."""
        for rest, value in self.long_numbers.get(self.lower(at), ()):
            end = at + 1
            for word in rest:
                end += self.lower(end) == "-"
                if self.lower(end) != word:
                    break
                end += 1
            else:
                return value, end
        return None

    def _read_compound(self, at: int, joiner: str) -> int:
        """Read a number that the language writes as one word: fünfundzwanzig."""
        value = compound_value(self.lower(at), self.language, joiner)
        return at if value is None else self.keep_with_unit(at, value, at + 1)

    def _read_article(self, at: int) -> int:
        """Read `an hour` or `a couple of days`, but not a rate: 20 euros an hour."""
        if (self.lower(at + 1), self.lower(at + 2)) == ("couple", "of"):
            return self.keep_with_unit(at, 2.0, at + 3, loose=True)
        unit = self.units.get(self.lower(at + 1), ("", 0.0))[0]
        counted = (unit in ("min", "months") and self.lower(at + 1) not in ("second", "m", "h", "s")) or (
            self.has_job(at + 1, "counted")
        )
        if not counted or at - 1 in self.used or self.has_job(at - 1, "how_often"):
            return at
        return self.keep_with_unit(at, 1.0, at + 1)

    def _read_roman(self, at: int) -> int:
        """Read a Roman numeral: `World War II`, `Louis XIV`, `Part V`."""
        text, before = self.tokens[at].text, self.tokens[at - 1] if at else None
        named = before is not None and before.kind == "word" and before.text[0].isupper()
        if len(text) > 2 or self.is_labelled(at) or (named and text != "I"):
            value = float(ROMAN[text])
            return self.keep(at, at + 1, make_number(value, "", text))
        return at

    def _read_share(self, at: int, count: float, counted: bool) -> tuple[float, int]:
        """Read `half a million`, `a quarter of` or `two thirds`; a quarter alone may mean three months."""
        part = self.number_word(at)[1]
        following = self.lower(at + 1)
        shared_out = counted or (following, self.lower(at + 2)) == ("of", "an")
        divided = at + 1 + 2 * (following == "of" and self.lower(at + 2) in ("a", "an"))
        if divided > at + 1 and self.number_word(divided)[0] == "scale":
            return count * part * self.number_word(divided)[1], divided + 1
        shared_out = shared_out or (
            self._is_one(at - 1) and (self.has_job(at + 1, "after_quarter") or self.lower(at - 2) == "by")
        )
        if self.lower(at).startswith("quarter") and not shared_out:
            return 0.0, at
        scale = at + 1 + (self.lower(at + 1) in ("a", "an"))
        kind, value = self.number_word(scale)
        return (count * part * value, scale + 1) if kind == "scale" else (count * part, at + 1)

    def _is_share(self, start: int, at: int, counted: bool) -> bool:
        """Return whether an ordinal is a fraction (a fifth of it, by one third), with no noun after it to number."""
        if not (counted and at == start + 1) and not (at == start and self._is_one(at - 1)):
            return False
        ends = at + 1 == len(self.tokens) or (self.tokens[at + 1].kind == "mark" and self.lower(at + 1) != "-")
        return ends or self._is_small(at + 1)

    def _is_small(self, at: int) -> bool:
        """Return whether a word can't be numbered by an ordinal: in, of, more; last year."""
        return self.has_job(at, "small") or self.has_job(at, "relative")

    def _joins(self, at: int, last: float) -> bool:
        """Return whether a word or hyphen joins the parts of a number: twenty-five, hundred and two."""
        following = self.number_word(at + 1)
        if self.number_word(at)[0] == "join":
            return following[0] == "number" and last >= 20
        if self.lower(at) == "-":
            return following[0] == "part" or (following[0] in ("number", "ordinal") and 20 <= last < 100)
        return self.lower(at) == "and" and last >= 100 and following[0] == "number"

    def _counts(self, at: int) -> bool:
        """Return whether the token at a place turns the "one" before it into a number."""
        scaled = self.number_word(at)[0] == "scale"
        return scaled or self.lower(at) in self.units or self._whole_place(at) > at or self.is_labelled(at - 1)

    def _whole_place(self, at: int) -> int:
        """Return where the 10 of "one in 10" or "one out of 10" begins, given the end of "one"; `at` if nowhere."""
        after = (
            at + 1
            if self.lower(at) == "in"
            else at + 2
            if (self.lower(at), self.lower(at + 1)) == ("out", "of")
            else at
        )
        counted = (
            after > at
            and after < len(self.tokens)
            and (self.tokens[after].kind == "number" or self.number_word(after)[0] == "number")
        )
        return after if counted else at
