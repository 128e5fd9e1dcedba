"""Which quantities of one text agree with none of another."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.metrics.facts.reading.quantity import Quantity

_CONVERTIBLE = frozenset({"m", "g", "l", "m2", "min"})
_ROUNDING = 0.02
"""The relative difference within which values in different units are equal: 5 miles are 8 km."""

_ROUNDED = 0.5
"""The largest rounding error of a percentage, in percentage points."""


def unmatched(quantities: Sequence[Quantity], others: Sequence[Quantity]) -> list[Quantity]:
    """Return the quantities that the other side doesn't have, in order, without duplicates.

    Numbers without a unit match by value alone, a date matches a less precise one, a time matches one without am or pm,
    and a year matches a date in it.
    """
    if not quantities:
        return []
    keys, own = ({one.key for one in side} for side in (others, quantities))
    left = {one.key: one for one in quantities if one.key not in keys}
    free = [other for other in others if other.key not in own]  # x[1] of "x[1] is the first" isn't the "first" of x[0]
    return [one for one in left.values() if not any(_agree(one, other) for other in free)]


def _agree(one: Quantity, other: Quantity) -> bool:
    if one.kind != other.kind:
        number, date = (one, other) if one.kind == "number" else (other, one)
        return number.kind == "number" and date.kind == "date" and not number.unit and date.key.startswith(number.key)
    if one.kind == "number":
        if {one.unit, other.unit} == {"percent", ""} and 0 < min(one.value, other.value) < 1:
            share, bare = (one, other) if one.unit else (other, one)
            return abs(share.value - 100 * bare.value) <= 1e-6
        if "" in (one.unit, other.unit) and one.unit != other.unit:
            aged = "months" in (one.unit, other.unit)  # "twenty years old", "aged twenty"
            return one.count == other.count if aged else one.value == other.value
        if one.unit == other.unit == "version":
            return False
        apart = abs(one.value - other.value)
        larger = max(abs(one.value), abs(other.value))
        if apart > _ROUNDING * larger:
            return False
        noise = 0.0 if one.value.is_integer() and other.value.is_integer() else 1e-8 * larger
        return one.unit == other.unit and (apart <= noise or _converted(one, other) or _rounded(one, other))
    if one.kind == "time":
        return _clock(one.key) == _clock(other.key) and ("?" in one.key or "?" in other.key)
    if one.key.startswith("weekday") or other.key.startswith("weekday"):
        return one.key.startswith("weekday") != other.key.startswith("weekday") or _includes(one, other)
    parts = list(zip(one.key.split("-"), other.key.split("-"), strict=False))
    if all("?" in pair or pair[0] == pair[1] for pair in parts):
        return True
    (year, its_year), *days = parts
    slashed = ("/" in one.form) != ("/" in other.form)
    return slashed and year == its_year and sorted(a for a, _ in days) == sorted(b for _, b in days)


def _includes(one: Quantity, other: Quantity) -> bool:
    """Return whether one of two dates is a range of days that includes the other: weekdays, Tuesday."""
    (row, day) = (one, other) if one.implied else (other, one)
    first, _, last = row.key.removeprefix("weekday ").partition("-")
    return row.implied and "-" not in day.key and first <= day.key.removeprefix("weekday ") <= last


def _converted(one: Quantity, other: Quantity) -> bool:
    """Return whether two quantities were written in different units of the same dimension."""
    words = [{word for word in one.form.lower().replace("-", " ").split() if word.isalpha()} for one in (one, other)]
    if "/" in one.unit:
        return words[0] != words[1]
    return one.unit in _CONVERTIBLE and not (words[0] & words[1]) - {"square", "cubic"}


def _rounded(one: Quantity, other: Quantity) -> bool:
    """Return whether a percentage is the rounded value of a fraction: two thirds, 67 %."""
    return one.unit == "percent" and one.share != other.share and abs(one.value - other.value) <= _ROUNDED


def _clock(key: str) -> tuple[int, str]:
    hour, _, minute = key.rstrip("?").partition(":")
    return int(hour) % 12, minute
