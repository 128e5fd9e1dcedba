"""What is printed of results, whatever the format: tables with their captions, and notes under them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import printable
from holdfast.harness.results.columns import Column, described
from holdfast.harness.results.intervals import BY_CHECK, with_interval
from holdfast.harness.results.layout.text_table import NOISE, SHORTEST, Shown

if TYPE_CHECKING:
    import pandas as pd

_SHORT_DIGEST = 12
_SHORTEST = {"group": 28, "failure": 21}
"""Widths below which some names are not shortened: groups, whose beginnings are all alike, and kinds of failures."""

_LARGE = 10


@dataclass(frozen=True, slots=True)
class Section:
    """A table.

    Attributes:
        title: What it shows.
        columns: Its columns.
        grouped_by: The column whose names stand on lines of their own above their rows, in text.
        file: The file that has all columns and rows.
        others: Names of the columns in that file that aren't among `columns`.
        rows_left_out: Number of rows that only the file has.
        stacked: Whether all columns were asked for by name, so that none is left out for its width.
        notes: What is said under the table.
    """

    title: str
    columns: Sequence[Shown]
    grouped_by: str = ""
    file: str = ""
    others: Collection[str] = ()
    rows_left_out: int = 0
    stacked: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Tables and what is said of all of them."""

    sections: Sequence[Section]
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()


def shown(frame: "pd.DataFrame", name: str, *, heading: str = "", priority: int = 1, interval: bool = False) -> Shown:
    """Return a column of a table of results as it is shown.

    Args:
        frame: The breakdown, the leaderboard or rows of them.
        name: The column.
        heading: Its heading, if not the usual one.
        priority: See `Shown`.
        interval: Whether to show the 95 % interval, if there is one.
    """
    column = described(name)
    with_ends = interval and f"{name}_low" in frame
    title = (heading or column.heading or name) + (" [95 %]" if with_ends else "")
    cells = tuple(_cell(row, column, with_ends) for row in frame.to_dict("records"))
    is_text = column.kind == "text" or any(isinstance(value, str) for value in frame[name])
    return Shown(name, title, cells, is_text, priority, shortest=_SHORTEST.get(name, SHORTEST))


def _cell(row: Mapping[Any, Any], column: Column, interval: bool) -> str:
    name, value = column.name, row[column.name]
    if isinstance(value, str):
        return printable(value[:_SHORT_DIGEST] if name in ("digest", "variants") else value) or "-"
    if value is None or value != value:
        return "-"
    if isinstance(value, bool) or column.kind == "flag":
        return "yes" if value else "no"
    sign = "+" if name in ("delta", *BY_CHECK) else ""
    if interval:
        text = with_interval(row, name, sign)
    elif column.kind == "count":
        text = f"{value:.0f}"
    elif name == "edited":
        text = f"{value:.0%}"
    else:
        text = f"{value:{sign}.3f}" if abs(value) < _LARGE else f"{value:{sign}.1f}"
    return text + NOISE if name == "max_drift" and row.get("above_floor") is False else text
