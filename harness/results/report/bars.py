"""Bars of changes with their intervals and margins, on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH = 160
"""Width of the drawing of a bar."""

_EDGE = 4


class Change(NamedTuple):
    """A change, the ends of its interval (NaN without one), the change that is allowed, and which way is good."""

    value: float
    low: float
    high: float
    allowed: float | None
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from zero to a change, and whether that is a loss; all numbers are places between 0 and `WIDTH`."""

    is_loss: bool
    start: float
    length: float
    zero: float
    low: float | None
    high: float | None
    margin: float | None


def bars(changes: Sequence[Change]) -> list[Bar | None]:
    """Return a bar for each change, on a common scale that has zero in the middle; None for a change that is NaN.

    >>> [bar] = bars([Change(-0.5, math.nan, math.nan, -1.0, higher_is_better=True)])
    >>> bar.start, bar.length, bar.zero, bar.margin
    (42.0, 38.0, 80.0, 4.0)
    """
    ends = [abs(end) for each in changes for end in each[:4] if end is not None and not math.isnan(end)]
    unit = (WIDTH / 2 - _EDGE) / max(ends, default=1.0) if any(ends) else 1.0

    def place(value: float | None) -> float | None:
        return None if value is None or math.isnan(value) else round(WIDTH / 2 + unit * value, 1)

    found: list[Bar | None] = []
    for value, low, high, allowed, higher in changes:
        end, zero = place(value), WIDTH / 2
        if end is None:
            found.append(None)
        else:
            start, length = min(zero, end), round(abs(end - zero), 1)
            found.append(
                Bar(value < 0 if higher else value > 0, start, length, zero, place(low), place(high), place(allowed))
            )
    return found
