"""The JSON schema of a CSV file of a run: one row as an object."""

from collections.abc import Mapping
from typing import Any

from holdfast.harness.results.columns import Column, Table, columns_of

ABOUT: Mapping[str, tuple[Table, str]] = {
    "breakdown.csv": ("breakdown", "a row for each adapter, task, group of samples, perturbation and severity"),
    "leaderboard.csv": ("leaderboard", "a row for each adapter (and run, if several are merged)"),
    "failures.csv": ("failures", "a row for each adapter, task, perturbation (and all of them) and kind of failure"),
    "mitigations.csv": ("mitigations", "a row for each adapter, mitigation and task, for clean and perturbed prompts"),
    "classes.csv": ("classes", "a row for each adapter and task: clean, all perturbations, and each at each severity"),
    "confusion.csv": ("confusion", "a row for each adapter, task, right and predicted label, for clean and perturbed"),
    "errors.csv": ("errors", "a row for each adapter, task and category of answers with errors, worst first"),
    "shapes.csv": ("shapes", "a row for each adapter, task and perturbation of the prompt's shape"),
    "cells.csv": ("cells", "the breakdown in long form: a row for each number of a cell"),
}
"""The tables in a run's folder, and what a row of each is."""

_ESCAPING = (
    "Texts that a spreadsheet or pandas would read as a formula, a number, a truth value or a missing value have an "
    "apostrophe in front, and so have those that begin with one: drop one leading apostrophe. Missing values are empty."
)


def column_schema(file: str) -> dict[str, Any]:
    """Return the JSON schema of a row of a CSV file of a run."""
    table, what = ABOUT[file]
    return {
        "title": file,
        "description": f"{what}. {_ESCAPING}",
        "type": "object",
        "properties": {column.name: _property(column) for column in columns_of(table)},
        "additionalProperties": {"type": ["number", "null"], "description": "mean of a plug-in's score of that name"}
        if table == "breakdown"
        else False,
    }


def _property(column: Column) -> dict[str, Any]:
    types = {"text": "string", "count": "integer", "flag": "boolean"}
    kind = types.get(column.kind, "number")
    bounds = {"minimum": 0, "maximum": 1} if column.kind == "share" else {}
    return {"type": [kind, "null"], "description": column.text, **bounds}
