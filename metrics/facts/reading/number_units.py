"""Reads the unit, currency and sign of a number, and adds up amounts such as 1 hour and 30 minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from holdfast.language.lexicon_tables import known_names
from holdfast.language.word_tables import rows_of
from holdfast.metrics.facts.reading.dates import DateReader
from holdfast.metrics.facts.reading.quantity import Quantity, Unit, make_number, rate
from holdfast.metrics.facts.reading.tokens import Token

_MONEY = frozenset("dollars euros pounds yen rupees francs cents".split())
_CHANGE = frozenset({"cents", "pence"})
"""Hundredths of the currency before them."""
_MILLIONS = {"m": 1e6, "b": 1e9, "t": 1e12}
"""Letters that are scales after an amount of money, and units elsewhere."""
_ADDS_UP = frozenset({"min", "months", "m", "g"})
"""Base units in which a smaller amount may follow a larger one: an hour and ten minutes."""
_NATIONAL = ("swiss", "us", "american", "indian", "british")


class UnitReader(DateReader):
    """A row of tokens that can read the unit of a number."""

    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        super().__init__(tokens, language)
        self._larger = -1, "", 0.0
        """The end, unit and factor of the last quantity."""

    def keep_with_unit(self, start: int, value: float, end: int, *, loose: bool = False) -> int:
        """Keep a number with the unit after it or the currency before it.

        Args:
            start: Index of the number's first token.
            value: Its value.
            end: End of the number, exclusive.
            loose: Whether the number is approximate, as in "a couple of".

        Returns:
            The end of the quantity.
        """
        begin = start - self._is_negative(start)
        after = end + (self.lower(end) == "-" and self.lower(end + 1) in self.units)
        after += value < 1 and self.lower(after) == "of" and self.lower(after + 1) in ("a", "an")
        after += value < 1 and self.has_job(after, "one")
        if self.lower(after) == "s" and value >= 1000:
            return self.keep(begin, after + 1, make_number(value, "", self.form(begin, after + 1)))
        value, unit, factor, end = self._read_unit(begin, value, end, after)
        begin, unit, factor = self._read_currency(begin, unit, factor)
        begin -= begin < start and self._is_negative(begin)
        if not unit and 0 < value < 1 and not self.tokens[start].lower.startswith(("0", ".")):
            percent = -100 * value if self._is_negative(start) else 100 * value
            return self.keep(begin, end, replace(make_number(percent, "percent", self.form(begin, end)), share=True))
        below = (self.lower(end), self.lower(end + 1)) == ("below", "zero")
        if unit in _ADDS_UP:
            more, end = self.read_addition(end)
            value += more
        if not unit and self._is_version(start, end):
            number = self.tokens[start].text
            return self.keep(begin, end, Quantity("number", f"{number} version", number, value, "version", value))
        if below or any(self._is_negative(place) for place in range(begin + 1, start + 1)):
            value, end = -value, end + 2 * below
            if below and unit == "degrees" and self.lower(end) in ("celsius", "fahrenheit"):
                unit, end = self.lower(end), end + 1
        return self._add_up(begin, end, value, unit, factor, loose)

    def is_labelled(self, at: int) -> bool:
        """Return whether a number labels the word before it: War II, page one."""
        return self.has_job(at - 1, "label")

    def _read_unit(self, begin: int, value: float, end: int, after: int) -> tuple[float, str, float, int]:
        """Read the unit at `after`; return the number's value, unit, factor and end."""
        known = self.units
        unit, factor = "", 1.0
        after += self.lower(after) in _NATIONAL and known.get(self.lower(after + 1), ("",))[0] in _MONEY
        if self.lower(after) == "°" and self.lower(after + 1) in ("c", "f"):
            unit, end = known["°" + self.lower(after + 1)][0], after + 2
        elif self.lower(after) in _MILLIONS and known.get(self.lower(begin - 1), ("",))[0] in _MONEY:
            value, end = value * _MILLIONS[self.lower(after)], after + 1
        elif found := self._unit_at(after):
            (unit, factor), end = found
            if unit == "degrees" and self.lower(end) in ("celsius", "fahrenheit"):
                unit, end = self.lower(end), end + 1
            per = self._unit_at(end + 1) if self.has_job(end, "each") else None
            if per and (quotient := rate((unit, factor), per[0])):
                (unit, factor), end = quotient, per[1]
        return value, unit, factor, end

    def _unit_at(self, at: int) -> tuple[Unit, int] | None:
        """Return the unit that one or two words name, and their end: watt-hours, cubic metres."""
        second = at + 1 + (self.lower(at + 1) == "-")
        if two := self.units.get(f"{self.lower(at)}_{self.lower(second)}"):
            return two, second + 1
        one = self.units.get(self.lower(at))
        return (one, at + 1) if one else None

    def _read_currency(self, begin: int, unit: str, factor: float) -> tuple[int, str, float]:
        """Read a currency before `begin`; return where the quantity begins, its unit and its factor."""
        if unit in _MONEY:
            return begin, unit, factor
        place = begin - 1
        place -= self.lower(place) == "." and self.lower(place - 1) == "rs"
        begin -= self.lower(place) == "$" and self.lower(place - 1) == "us"
        money = self.units.get(self.lower(place), ("", 1.0))[0]
        if money in _MONEY and place not in self.used:
            return min(begin - 1, place), money, 1.0
        return begin, unit, factor

    def _is_negative(self, at: int) -> bool:
        """Return whether a minus precedes the number at a place, and is not a subtraction."""
        if at < 1 or self.tokens[at - 1].kind == "mark":
            return self.lower(at - 1) == "minus"
        if (self.lower(at - 2), self.lower(at - 1)) in _bounds_of_two_words():
            return False
        return self.number_word(at - 1)[0] == "sign" and (
            at - 2 not in self.used and self.number_word(at - 2)[0] != "number"
        )

    def _is_version(self, at: int, end: int) -> bool:
        """Return whether a number with points is a version, not a value: Python 3.10, version 3.10, 1.2.3."""
        points = self.tokens[at].text.count(".")
        if not points or end > at + 1 or "," in self.tokens[at].text:
            return False
        named = at > 1 and self.tokens[at - 1].text[0].isupper() and self.tokens[at - 2].kind != "mark"
        person = self.lower(at - 1) in known_names(self.language)
        return points > 1 or (named and not person) or self.lower(at - 1) == "v" or self.is_labelled(at)

    def _add_up(self, begin: int, end: int, value: float, unit: str, factor: float, loose: bool) -> int:
        """Keep a quantity, added to the one before it if that has a larger unit: 1 hour and 30 minutes."""
        after, larger, its_factor = self._larger
        adds = self.lower(after) == "," or self.has_job(after, "adds")
        near = after == begin or (after == begin - 1 and adds)
        form = self.form(begin, end)
        self._larger = end, unit, factor
        behind = after == begin or (near and self.has_job(after, "adds"))
        counted = unit in _CHANGE or self._ends(after, begin, end, unit)
        change = behind and counted and value < 100 and larger in _MONEY - _CHANGE
        if change or (unit in _ADDS_UP and near and unit == larger and value * factor < its_factor):
            first, before = self.found.pop()
            self.used.update(range(after, begin))
            total = before.value + value * (0.01 if change else factor)
            self.found.append((first, make_number(total, larger, f"{before.form} {form}")))
            self.used.update(range(begin, end))
            return end
        return self.keep(begin, end, replace(make_number(value, unit, form, factor), loose=loose))

    def _ends(self, after: int, begin: int, end: int, unit: str) -> bool:
        """Return whether a number without a unit directly follows another and ends its clause: 12 pounds 50."""
        return not unit and after == begin and (end == len(self.tokens) or self.tokens[end].kind == "mark")


@cache
def _bounds_of_two_words() -> frozenset[tuple[str, ...]]:
    """Return the bounds of numbers that have two words, of which the second may be a sign elsewhere: au moins."""
    bounds = (tuple(form.split("_")) for _, forms in rows_of("bounds.txt") for form in forms.split())
    return frozenset(words for words in bounds if len(words) == 2)
