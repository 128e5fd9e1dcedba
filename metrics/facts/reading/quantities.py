"""Numbers with their units, dates and times among tokens, normalised so that equal values compare equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from holdfast.language.language_files import language_files
from holdfast.language.lexicon_tables import grammar, known_names
from holdfast.language.meanings import tables
from holdfast.metrics.facts.reading.dates import ORDINAL_ENDINGS, DateReader
from holdfast.metrics.facts.reading.quantity import (
    ROMAN,
    Quantity,
    calendar,
    compound_value,
    digits,
    fraction,
    number_of,
    plain,
    written_date,
)
from holdfast.metrics.facts.reading.tokens import Token

_MONEY = frozenset("dollars euros pounds yen rupees francs cents".split())
_CHANGE = frozenset({"cents", "pence"})
"""Hundredths of the money that stands before them."""
_MILLIONS = {"m": 1e6, "b": 1e9, "t": 1e12}
"""Scales behind an amount of money, which elsewhere are units."""
_ADDS_UP = frozenset({"min", "months", "m", "g"})
"""Units of which a smaller one may follow a larger: an hour and ten minutes."""
_NATIONAL = ("swiss", "us", "american", "indian", "british")


def read_quantities(tokens: Sequence[Token], language: str) -> tuple[list[tuple[int, Quantity]], set[int]]:
    """The quantities among tokens, each with the place where it begins, and the places that they take up."""
    return _Reader(tokens, language).read()


@cache
def _telling(language: str) -> frozenset[str]:
    """The words that a quantity may begin with, or that show one."""
    known = tables(language)
    articles = {word for word, jobs in known.jobs.items() if "one" in jobs}
    return frozenset(calendar(language).keys() | known.numbers.keys() | known.long_numbers.keys() | articles)


class _Reader(DateReader):
    def __init__(self, tokens: Sequence[Token], language: str) -> None:
        super().__init__(tokens, language)
        self._scales_alone = language in language_files()
        self._larger = -1, "", 0.0

    def read(self) -> tuple[list[tuple[int, Quantity]], set[int]]:
        telling, joiner = _telling(self.language), grammar(self.language).joiner
        at, end = 0, len(self.tokens)
        while at < end:
            token = self.tokens[at]
            after = at
            if token.kind == "word":
                if token.lower not in telling and token.text not in ROMAN and not (joiner and len(token.lower) > 6):
                    at += 1
                    continue
                if token.lower in self.calendar:
                    after = self.named_day(at)
                if after == at and (token.lower in self.numbers or token.lower in self.long_numbers):
                    after = self._number(at)
                elif after == at and self.does(at, "one"):
                    after = self._one(at)
                elif after == at and token.text in ROMAN:
                    after = self._roman(at)
                elif after == at and joiner and len(token.lower) > 6:
                    after = self._compound(at, joiner)
            elif token.kind in ("number", "fraction"):
                after = self._number(at)
            elif token.kind == "date":
                after = self.keep(at, at + 1, written_date(token.text))
            elif token.kind == "time":
                after = self.time(at, token.lower, at + 1)
            at = max(after, at + 1)
        return self.found, self.used

    def _number(self, start: int) -> int:
        kind, count = self.number_word(start)
        if kind == "implied" or (kind == "often" and self.does(start + 1, "each")):
            form = self.form(start, start + 1)
            return self.keep(start, start + 1, replace(number_of(count, "", form), implied=True))
        value, end, ordinal = self._value(start)
        if end == start:
            return start
        if self.lower(end) in ORDINAL_ENDINGS and self.tokens[end - 1].kind == "number":
            ordinal, end = True, end + 1
        if ordinal:
            named = end + (self.lower(end) == "of")
            if self.calendar.get(self.lower(named), ("",))[0] == "month":
                return self.month(named, self.calendar[self.lower(named)][1], False)
            return self.keep(
                start, end, Quantity("number", f"{plain(value)}th", self.form(start, end), value, "th", value)
            )
        if (after := self.hour(start, value, end)) > start:
            return after
        whole = self._among(end)
        if whole > end:
            among, after, _ = self._value(whole)
            if 1 <= value < among <= 1000:
                share = number_of(100 * value / among, "percent", self.form(start, after))
                return self.keep(start, after, replace(share, share=True))
        return self._with_unit(start, value, end)

    def _value(self, start: int) -> tuple[float, int, bool]:
        """The number that begins here, in digits or words, where it ends, and whether it is an ordinal."""
        token, at = self.tokens[start], start + 1
        if token.kind == "number":
            value = digits(token.lower, self.decimal)
            if self.tokens[at : at + 1] and self.tokens[at].kind == "fraction":
                value, at = value + fraction(self.tokens[at].lower), at + 1
        elif token.kind == "fraction":
            value = fraction(token.lower)
        else:
            return self._spelt(start)
        more, at = self.more(at)
        value += more
        while self.number_word(at)[0] == "scale" and self.lower(at) not in ("score",):
            value, at = value * self.number_word(at)[1], at + 1
        return value, at, False

    def _spelt(self, start: int) -> tuple[float, int, bool]:
        """A number in words: `two hundred and fifty`, `twenty-five`, `half a million`, `a dozen`, `two thirds`."""
        total = current = last = 0.0
        at, seen = start, False
        while True:
            kind, value = self.number_word(at)
            several = self._of_several_words(at)
            if several:
                kind, value = "number", several[0]
            if (kind == "number" and (not seen or last >= 100 or (last >= 20 and last % 10 == 0 and value < 10))) or (
                kind == "and" and (not seen or value > last or last >= 100)
            ):
                current, seen, last = current + value, True, value
                at = several[1] - 1 if several else at
            elif kind == "scale" and (seen or self._is_one(at - 1) or self._scales_alone):
                current, seen, last = (current or 1.0) * value, True, value
                if value >= 1000:
                    total, current = total + current, 0.0
            elif kind == "plus" and not seen:
                following, end, _ = self._value(at + 1) if at + 1 < len(self.tokens) else (0.0, at, False)
                return following + value, max(end, at + 1), False
            elif seen and self.more(at)[0]:
                more, end = self.more(at)
                current, at = current + more, end - 1
            elif kind == "part":
                return (*self._share(at, total + current if seen else 1.0, seen), False)
            elif kind == "ordinal" and value > 2 and self._is_share(start, at, seen and current == 1):
                return 1 / value, at + 1, False
            elif kind == "ordinal" and (not seen or last >= 20) and not self.does(at - 1, "each"):
                return total + current + value, at + 1, True
            elif kind == "alone" and not seen:
                return value, at + 1, False
            elif not (seen and self._joins(at, last)):
                break
            at += 1
        if not seen or (at == start + 1 and self.does(start, "one") and not self._counts(at)):
            return 0.0, start, False
        return total + current, at, False

    def _is_one(self, at: int) -> bool:
        """Whether a word stands there that counts one, or a few, of what follows: a third, several thousand."""
        return self.does(at, "one") or self.does(at, "several")

    def _of_several_words(self, at: int) -> tuple[float, int] | None:
        """A number that its language writes in several words, and where it ends: quatre-vingt-dix."""
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

    def _compound(self, at: int, joiner: str) -> int:
        """A number that its language writes as one word: fünfundzwanzig."""
        value = compound_value(self.lower(at), self.language, joiner)
        return at if value is None else self._with_unit(at, value, at + 1)

    def _one(self, at: int) -> int:
        """`an hour`, `a couple of days`; no amount, where it says how often: 20 euros an hour."""
        if (self.lower(at + 1), self.lower(at + 2)) == ("couple", "of"):
            return self._with_unit(at, 2.0, at + 3, loose=True)
        unit = self.units.get(self.lower(at + 1), ("", 0.0))[0]
        counted = (unit in ("min", "months") and self.lower(at + 1) not in ("second", "m", "h", "s")) or (
            self.does(at + 1, "counted")
        )
        if not counted or at - 1 in self.used or self.does(at - 1, "how_often"):
            return at
        return self._with_unit(at, 1.0, at + 1)

    def _roman(self, at: int) -> int:
        """`World War II`, `Louis XIV`, `Part V`."""
        text, before = self.tokens[at].text, self.tokens[at - 1] if at else None
        named = before is not None and before.kind == "word" and before.text[0].isupper()
        if len(text) > 2 or self._is_labelled(at) or (named and text != "I"):
            value = float(ROMAN[text])
            return self.keep(at, at + 1, number_of(value, "", text))
        return at

    def _is_labelled(self, at: int) -> bool:
        """Whether what stands here numbers what stands before: War II, page one."""
        return self.does(at - 1, "label")

    def _share(self, at: int, count: float, counted: bool) -> tuple[float, int]:
        """`half a million`, `a quarter of`, `two thirds`; a quarter by itself may be three months."""
        part = self.number_word(at)[1]
        following = self.lower(at + 1)
        shared_out = counted or (following, self.lower(at + 2)) == ("of", "an")
        divided = at + 1 + 2 * (following == "of" and self.lower(at + 2) in ("a", "an"))
        if divided > at + 1 and self.number_word(divided)[0] == "scale":
            return count * part * self.number_word(divided)[1], divided + 1
        shared_out = shared_out or (
            self._is_one(at - 1) and (self.does(at + 1, "after_quarter") or self.lower(at - 2) == "by")
        )
        if self.lower(at).startswith("quarter") and not shared_out:
            return 0.0, at
        scale = at + 1 + (self.lower(at + 1) in ("a", "an"))
        kind, value = self.number_word(scale)
        return (count * part * value, scale + 1) if kind == "scale" else (count * part, at + 1)

    def _is_share(self, start: int, at: int, counted: bool) -> bool:
        """Whether an ordinal is a part: a fifth of it, by one third; no noun follows that it would number."""
        if not (counted and at == start + 1) and not (at == start and self._is_one(at - 1)):
            return False
        return at + 1 == len(self.tokens) or self.tokens[at + 1].kind == "mark" or self._is_small(at + 1)

    def _is_small(self, at: int) -> bool:
        """Whether a word stands there that no ordinal numbers: in, of, more; last year."""
        return self.does(at, "small") or self.does(at, "relative")

    def _joins(self, at: int, last: float) -> bool:
        following = self.number_word(at + 1)
        if self.number_word(at)[0] == "join":
            return following[0] == "number" and last >= 20
        if self.lower(at) == "-":
            return following[0] == "part" or (following[0] in ("number", "ordinal") and 20 <= last < 100)
        return self.lower(at) == "and" and last >= 100 and following[0] == "number"

    def _counts(self, at: int) -> bool:
        """Whether what stands here makes a number of the "one" before it."""
        scaled = self.number_word(at)[0] == "scale"
        return scaled or self.lower(at) in self.units or self._among(at) > at or self._is_labelled(at - 1)

    def _among(self, at: int) -> int:
        """Where the number begins of which "one in" or "one out of" is a share; `at` where there is none."""
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

    def _with_unit(self, start: int, value: float, end: int, *, loose: bool = False) -> int:
        known = self.units
        unit, factor, begin = "", 1.0, start - self._is_negative(start)
        after = end + (self.lower(end) == "-" and self.lower(end + 1) in known)
        after += value < 1 and self.lower(after) == "of" and self.lower(after + 1) in ("a", "an")
        after += value < 1 and self.does(after, "one")
        second = after + 1 + (self.lower(after + 1) == "-")
        if two := known.get(f"{self.lower(after)}_{self.lower(second)}"):
            return self.keep(begin, second + 1, number_of(value, two[0], self.form(begin, second + 1), two[1]))
        if self.lower(after) == "s" and value >= 1000:
            return self.keep(begin, after + 1, number_of(value, "", self.form(begin, after + 1)))
        after += self.lower(after) in _NATIONAL and known.get(self.lower(after + 1), ("",))[0] in _MONEY
        if self.lower(after) == "°" and self.lower(after + 1) in ("c", "f"):
            unit, end = known["°" + self.lower(after + 1)][0], after + 2
        elif self.lower(after) in _MILLIONS and known.get(self.lower(begin - 1), ("",))[0] in _MONEY:
            value, end = value * _MILLIONS[self.lower(after)], after + 1
        elif self.lower(after) in known:
            (unit, factor), end = known[self.lower(after)], after + 1
            if unit == "degrees" and self.lower(end) in ("celsius", "fahrenheit"):
                unit, end = self.lower(end), end + 1
            if self.lower(end) == "per" and self.lower(end + 1) in ("hour", "h") and unit == "m":
                unit, end = "m/h", end + 2
        if unit not in _MONEY:
            place = begin - 1
            place -= self.lower(place) == "." and self.lower(place - 1) == "rs"
            begin -= self.lower(place) == "$" and self.lower(place - 1) == "us"
            money = known.get(self.lower(place), ("", 1.0))
            if money[0] in _MONEY and place not in self.used:
                unit, factor, begin = money[0], 1.0, min(begin - 1, place)
        elif self.lower(begin - 1) in known and known[self.lower(begin - 1)][0] in _MONEY:
            begin -= 1
        begin -= begin < start and self._is_negative(begin)
        below = (self.lower(end), self.lower(end + 1)) == ("below", "zero")
        if not unit and 0 < value < 1 and not self.tokens[start].lower.startswith(("0", ".")):
            percent = -100 * value if self._is_negative(start) else 100 * value
            return self.keep(begin, end, replace(number_of(percent, "percent", self.form(begin, end)), share=True))
        if unit in _ADDS_UP:
            more, end = self.more(end)
            value += more
        if not unit and self._is_version(start, end):
            number = self.tokens[start].text
            return self.keep(begin, end, Quantity("number", f"{number} version", number, value, "version", value))
        if below or any(self._is_negative(place) for place in range(begin + 1, start + 1)):
            value, end = -value, end + 2 * below
            if below and unit == "degrees" and self.lower(end) in ("celsius", "fahrenheit"):
                unit, end = self.lower(end), end + 1
        return self._add_up(begin, end, value, unit, factor, loose)

    def _is_negative(self, at: int) -> bool:
        """Whether a minus that takes nothing away from another number stands before what stands here."""
        if at < 1 or self.tokens[at - 1].kind == "mark":
            return self.lower(at - 1) == "minus"
        return self.number_word(at - 1)[0] == "sign" and (
            at - 2 not in self.used and self.number_word(at - 2)[0] != "number"
        )

    def _is_version(self, at: int, end: int) -> bool:
        """Whether a number with points is none to calculate with: Python 3.10, version 3.10, 1.2.3."""
        points = self.tokens[at].text.count(".")
        if not points or end > at + 1 or "," in self.tokens[at].text:
            return False
        named = at > 1 and self.tokens[at - 1].text[0].isupper() and self.tokens[at - 2].kind != "mark"
        person = self.lower(at - 1) in known_names(self.language)
        return points > 1 or (named and not person) or self.lower(at - 1) == "v" or self._is_labelled(at)

    def _add_up(self, begin: int, end: int, value: float, unit: str, factor: float, loose: bool) -> int:
        """Keep a quantity; one that goes on with a smaller unit is one with it: 1 hour and 30 minutes."""
        after, larger, its_factor = self._larger
        adds = self.lower(after) == "," or self.does(after, "adds")
        near = after == begin or (after == begin - 1 and adds)
        form = self.form(begin, end)
        self._larger = end, unit, factor
        behind = after == begin or (near and self.does(after, "adds"))
        counted = unit in _CHANGE or self._ends(after, begin, end, unit)
        change = behind and counted and value < 100 and larger in _MONEY - _CHANGE
        if change or (unit in _ADDS_UP and near and unit == larger and value * factor < its_factor):
            first, before = self.found.pop()
            self.used.update(range(after, begin))
            total = before.value + value * (0.01 if change else factor)
            self.found.append((first, number_of(total, larger, f"{before.form} {form}")))
            self.used.update(range(begin, end))
            return end
        return self.keep(begin, end, replace(number_of(value, unit, form, factor), loose=loose))

    def _ends(self, after: int, begin: int, end: int, unit: str) -> bool:
        """Whether a number right behind another is the last of its clause, and counts nothing: 12 pounds 50."""
        return not unit and after == begin and (end == len(self.tokens) or self.tokens[end].kind == "mark")
