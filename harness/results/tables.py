"""Print the breakdown and the leaderboard as tables."""

import math
from typing import TYPE_CHECKING, Any

from holdfast.harness.results.answer_frame import CHANGED
from holdfast.harness.results.console import TableConsole
from holdfast.harness.results.intervals import with_interval
from holdfast.harness.results.statistics import FEWEST
from holdfast.harness.store.records import CLEAN, IDENTITY

if TYPE_CHECKING:
    import pandas as pd

    from holdfast.harness.results.run_results import Results

_CELL_COLUMNS = {
    "adapter": "adapter",
    "task": "task",
    "perturbation": "perturbation",
    "severity": "severity",
    "n": "n",
    "edited": "edited",
    "metric": "metric",
    "clean": "clean",
    "perturbed": "perturbed",
    "delta": "delta [95 %]",
    "worst": "worst",
    "max_drift": "max drift",
    "worst_max_drift": "worst drift",
    "tail_drift": "tail",
    "global_drift": "global",
    "hidden_drift": "hidden",
    "noise_floor": "floor",
    "break_rate": "breaks",
}
_LEGEND = (
    "Edited: share of prompts that the perturbation changed; the others count as unchanged. Drift is that of the worst "
    "segment, from 0 (same) to 1 (different); below the floor (same prompt, generated twice) it is noise, and ~ marks "
    "drift not clearly above it (by the 95 % interval of drift minus floor, paired by sample). Breaks: share of "
    "variants whose answer says something else, leaves a segment out or refuses. No interval: fewer than "
    f"{FEWEST} samples (n too small), or all values equal (no spread)."
)
_MUCH_EXCLUDED = 0.05
"""Shares of excluded variants above this are printed beside the score."""

_UNLIMITED = 400
_NARROW = 190
_WIDE_ONLY = frozenset(
    {"edited", "metric", "tail_drift", "global_drift", "hidden_drift", "worst_max_drift", "mean_length", "changed_rate"}
)
"""Columns that are left out on narrow terminals; the CSV files have them all."""

_DIRECTED_COLUMNS = {
    "adapter": "adapter",
    "task": "task",
    "perturbation": "perturbation",
    "severity": "severity",
    "n": "n",
    "edited": "edited",
    "changed_rate": "changed [95 %]",
    "max_drift": "max drift",
    "noise_floor": "floor",
}
"""Columns for cells in which the answer should change; all but `edited` are over edited prompts only."""

_CURVE_COLUMNS = {
    "adapter": "adapter",
    "task": "task",
    "perturbation": "perturbation",
    "drift_auc": "drift AUC",
    "score_auc": "score AUC",
    "leaves_floor_at": "leaves the floor at",
    "curve_strengths": "strengths",
    "curve_samples": "samples",
}
_BOARD_COLUMNS = {
    "adapter": "adapter",
    "n": "n",
    "clean": "clean",
    "perturbed": "perturbed",
    "delta": "delta [95 %]",
    "worst": "worst",
    "max_drift": "max drift",
    "worst_max_drift": "worst drift",
    "hidden_drift": "hidden",
    "noise_floor": "floor",
    "break_rate": "breaks",
    "changed_rate": "changed",
    "answer_rate": "answers",
    "mean_length": "words",
    "worst_cell": "worst cell",
    "update_norm": "norm",
    "effective_rank": "eff. rank",
}


def print_results(results: "Results") -> None:
    """Print a run's tables, its warnings and the names of its files."""
    cells = results.breakdown[~results.breakdown["perturbation"].isin([CLEAN, IDENTITY])]
    directed = cells["expects"] == CHANGED
    console = TableConsole(_UNLIMITED)
    if not directed.all():
        console.print(
            _table("Perturbed answers compared with clean ones", cells[~directed], _CELL_COLUMNS, console.width)
        )
    if directed.any():
        title = "Prompts that ask something else: share of edited ones whose answer changed (higher is better)"
        console.print(_table(title, cells[directed], _DIRECTED_COLUMNS, console.width))
    curves = cells.dropna(subset="drift_auc").drop_duplicates(["adapter", "task", "perturbation"])
    if len(curves):
        console.print(_table("Dose-response: over all strengths", curves, _CURVE_COLUMNS))
    console.print(_table("Leaderboard", results.leaderboard, _BOARD_COLUMNS, console.width))
    console.print(f"{_reading(results.leaderboard)} {_LEGEND}", style="dim")
    for warning in results.warnings:
        console.print(f"WARNING: {warning}", style="bold red", markup=False)
    names = sorted(path.name for path in results.path.iterdir())
    print(f"files: {results.path}/ ({', '.join(names)})")


def print_leaderboard(board: "pd.DataFrame") -> None:
    """Print the leaderboard of one or several runs."""
    columns = {"run": "run", **_BOARD_COLUMNS} if "run" in board else _BOARD_COLUMNS
    console = TableConsole(_UNLIMITED)
    console.print(_table("Leaderboard", board, columns, console.width))
    console.print(_reading(board), style="dim")


def _reading(board: "pd.DataFrame") -> str:
    """Say in which direction the differences and the order of a leaderboard go."""
    worse, first = ("negative", "highest") if board["higher_is_better"].all() else ("positive", "lowest")
    return (
        f"Delta is perturbed minus clean ({worse} = worse). The leaderboard is ranked by perturbed, the score under "
        f"perturbation, {first} first."
    )


def _table(title: str, rows: "pd.DataFrame", columns: dict[str, str], width: int = _UNLIMITED) -> Any:
    from rich.table import Table

    if width < _NARROW:
        columns = {name: heading for name, heading in columns.items() if name not in _WIDE_ONLY}
    table = Table(title=title, title_justify="left", header_style="bold")
    optional = {"changed_rate"}
    shown = {
        name: heading
        for name, heading in columns.items()
        if name in rows and not (name in optional and rows[name].isna().all())
    }
    for name, heading in shown.items():
        text = name in {"run", "adapter", "task", "perturbation", "severity", "metric", "worst_cell", "curve_strengths"}
        table.add_column(heading, justify="left" if text else "right", no_wrap=True)
    for row in rows.to_dict("records"):
        table.add_row(*(_format_cell(row, name) for name in shown))
    return table


def _format_cell(row: dict[Any, Any], name: str) -> str:
    from rich.markup import escape

    value = row[name]
    if name == "adapter" and row.get("has_effect") is False:
        return escape(f"{value} (no effect)")
    if name == "run" and not row["complete"]:
        return escape(f"{value} (incomplete)")
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, float) and math.isnan(value):
        return "-"
    if name == "delta":
        return escape(with_interval(row, name, "+"))
    if name == "changed_rate" and "changed_rate_low" in row:
        return escape(with_interval(row, name) + _much_excluded(row))
    if name == "perturbed":
        return f"{value:.3f}{_much_excluded(row)}"
    if name == "max_drift":
        return f"{value:.3f}{' ~' if row['above_floor'] is False else ''}"
    if name in {"n", "curve_samples"}:
        return f"{value:.0f}"
    if name == "edited":
        return f"{value:.0%}"
    return f"{value:.1f}" if name == "mean_length" else f"{value:.3f}"


def _much_excluded(row: dict[Any, Any]) -> str:
    return f" ({row['excluded']:.0%} excluded)" if row["excluded"] > _MUCH_EXCLUDED else ""
