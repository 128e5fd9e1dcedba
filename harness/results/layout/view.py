"""What a user wants to see of a table: how much, which columns, in which order and format."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from holdfast.errors import UserError
from holdfast.harness.results.columns import known_columns
from holdfast.suggestions import did_you_mean

Amount = Literal["short", "full", "wide"]
Format = Literal["text", "markdown", "csv", "latex", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)

_BY_HEADING = {"change": "delta", "drift": "max_drift", "floor": "noise_floor", "breaks": "break_rate"}
"""Columns that may be named as they are headed on the screen."""


@dataclass(frozen=True, slots=True)
class View:
    """How tables are printed.

    Attributes:
        table: `short` for the worst cells alone, `full` for all, `wide` for all columns too, however long the lines.
        columns: The columns of the table, if not the usual ones.
        sort: The column by which rows are sorted.
        format: The format.
    """

    table: Amount = "short"
    columns: tuple[str, ...] = ()
    sort: str = "perturbed"
    format: Format = "text"


def make_view(
    table: Amount = "short", columns: str | Sequence[str] = (), sort: str = "perturbed", format: Format = "text"
) -> View:
    """Check what a user chose.

    Raises:
        UserError: If a column is unknown, or the values of the column to sort by can't be ordered.
    """
    named = columns.split(",") if isinstance(columns, str) else columns
    chosen = tuple(dict.fromkeys(_column("columns", name.strip()) for name in named if name.strip()))
    if isinstance(columns, str) and columns and not chosen:
        raise UserError("--columns names no column: use names as in clean,perturbed,max_drift")
    return View(table, chosen, _column("sort", sort.strip()), format)


def present(names: Sequence[str], there: Collection[str], flag: str) -> None:
    """Raise UserError for a column that is known, but not in these tables."""
    for name in names:
        if name not in there:
            raise UserError(f"--{flag}: this table has no column '{name}'{did_you_mean(name, there)}")


def _column(flag: str, name: str) -> str:
    name = _BY_HEADING.get(name, name)
    known = known_columns()
    if name not in known:
        raise UserError(f"--{flag}: unknown column '{name}'{did_you_mean(name, [*known, *_BY_HEADING])}")
    return name
