"""What the columns of a run's tables mean: one table (`data/columns.csv`) for files, screens and schemas."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from holdfast.metrics import metrics

if TYPE_CHECKING:
    import pandas as pd

Table = Literal[
    "breakdown", "leaderboard", "cells", "failures", "mitigations", "classes", "confusion", "errors", "shapes"
]
Kind = Literal["text", "number", "share", "count", "flag"]
Better = Literal["score", "high", "low", ""]
"""Which way is good: that of the task's score (`score`), high or low values, or neither."""

ENDS = ("_low", "_high")
"""The ends of the names of an interval's lower and upper end."""


SEEDED = ("clean", "perturbed", "delta", "max_drift", "break_rate", "clean_macro_f1", "macro_f1")
"""Columns with a standard deviation over seeds, and tests against a baseline."""

_OVER_SEEDS = {
    "sd": "standard deviation over seeds of {}",
    "vs_baseline": "difference of {} to the baseline's",
    "paired_p": "p-value of the paired t-test of that difference over seeds, for {}",
    "paired_d": "Cohen's d of the paired differences (mean by standard deviation), for {}",
    "welch_p": "p-value of Welch's t-test over seeds, for {}",
    "welch_d": "Cohen's d with the pooled standard deviation over seeds, for {}",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the files, what it means, and how it is shown."""

    name: str
    text: str
    kind: Kind = "number"
    better: Better = ""
    interval: bool = False
    """Whether the columns `NAME_low` and `NAME_high` hold its 95 % interval."""
    heading: str = ""
    """Its heading on the screen, where the name would be too long."""


def columns_of(table: Table) -> list[Column]:
    """Return the columns that a table may have, the ends of intervals included.

    Those that a run has no values for may be missing. The breakdown also has each score that its answers have.
    """
    columns = [column for column, tables in _rows() if table in tables]
    if table == "breakdown":
        known = {column.name for column in columns}
        columns += [column for column in _scores() if column.name not in known]
    found = list(_with_ends(columns))
    if table == "leaderboard":
        found += [Column(f"{name}_{end}", text.format(name)) for name in SEEDED for end, text in _OVER_SEEDS.items()]
    return found


def described(name: str) -> Column:
    """Return the column of this name; for a score that no metric describes, a plain one."""
    return _by_name().get(name) or Column(name, "")


def known_columns() -> list[str]:
    """Return the names by which users may choose the columns of a table, or sort it."""
    return [name for name in _by_name() if not name.endswith(ENDS)]


def measures(frame: "pd.DataFrame") -> list[str]:
    """Return the names of a table's columns but for the ends of intervals, which are shown with their mean."""
    return [str(name) for name in frame if not (str(name).endswith(ENDS) and str(name).rsplit("_", 1)[0] in frame)]


def _by_name() -> Mapping[str, Column]:
    return {
        column.name: column
        for table in ("breakdown", "leaderboard", "failures", "mitigations", "classes", "confusion", "errors", "shapes")
        for column in columns_of(table)
    }  # type: ignore[arg-type]


@cache
def _rows() -> tuple[tuple[Column, frozenset[str]], ...]:
    """Return each column of the data file, and the tables that it is in."""
    with resources.files("holdfast.harness.results").joinpath("data/columns.csv").open(encoding="utf-8") as file:
        return tuple(
            (
                Column(
                    row["name"],
                    row["text"],
                    cast(Kind, row["kind"]),
                    cast(Better, row["better"]),
                    bool(row["interval"]),
                    row["heading"],
                ),
                frozenset(row["tables"].split()),
            )
            for row in csv.DictReader(file)
        )


def _scores() -> Iterable[Column]:
    """Yield a column for each score of a registered metric."""
    for name in metrics.names():
        metric = metrics.get(name)
        for key, higher in metric.higher_is_better.items():
            text = f"mean of the score {key} of the metric {name} over the cell's answers"
            yield Column(key, text, "number" if key in metric.unbounded else "share", "high" if higher else "low")


def _with_ends(columns: Iterable[Column]) -> Iterable[Column]:
    for column in columns:
        yield column
        if column.interval:
            for end, side in zip(ENDS, ("lower", "upper"), strict=True):
                text = f"{side} end of the 95 % interval of {column.name}; empty without one"
                yield Column(column.name + end, text, column.kind)
