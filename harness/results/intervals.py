"""Print a number, and a mean with its interval, or say why it has none."""

import math
from collections.abc import Mapping
from typing import Any

from holdfast.harness.results.check.inference.differences import FEWEST_CLUSTERS
from holdfast.harness.results.statistics import FEWEST

BY_CHECK = {"change": "n", "gap": "gap_items"}
"""Columns whose interval is that of a check, which needs more samples, and the columns with their number."""


def with_interval(row: Mapping[Any, Any], name: str, sign: str = "") -> str:
    """Format a column of a table's row with its 95 % interval.

    Args:
        row: A row of the breakdown or the leaderboard.
        name: The column; its interval is in `name_low` and `name_high`.
        sign: "+" to print the sign of positive numbers.

    >>> with_interval({"n": 9, "delta": -0.25, "delta_low": -0.5, "delta_high": 0.0}, "delta", "+")
    '-0.250 [-0.500, +0.000]'
    >>> with_interval({"n": 3, "delta": -0.25, "delta_low": math.nan, "delta_high": math.nan}, "delta", "+")
    '-0.250 [n too small]'
    >>> with_interval({"n": 40, "gap": -0.25, "gap_low": math.nan, "gap_high": math.nan, "gap_items": 9}, "gap")
    '-0.250 [items < 10]'
    """
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if math.isnan(low):
        return f"{row[name]:{sign}.3f} [{_why_none(row, name)}]"
    return f"{row[name]:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _why_none(row: Mapping[Any, Any], name: str) -> str:
    """Say why a column has no interval."""
    if name not in BY_CHECK:
        return "n too small" if row["n"] < FEWEST else "no spread"
    count = BY_CHECK[name]
    too_few = f"{'n' if count == 'n' else 'items'} < {FEWEST_CLUSTERS}"
    return too_few if row[count] < FEWEST_CLUSTERS else "no spread"


def number(value: float) -> str:
    """Return a number as short as a column needs it.

    >>> number(0.8333), number(123.456), number(float("nan"))
    ('0.833', '123.5', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"
