"""Print the results of a run, and leaderboards: what decides first, and where the rest is."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from holdfast.errors import printable
from holdfast.harness.models.checkpoints import BASE
from holdfast.harness.results.answer_frame import CHANGED
from holdfast.harness.results.classification.class_sections import class_sections
from holdfast.harness.results.columns import described, measures
from holdfast.harness.results.failures.failure_sections import failure_sections
from holdfast.harness.results.layout.document import Document, Section, shown
from holdfast.harness.results.layout.markup_pages import PAGES
from holdfast.harness.results.layout.ranking import is_better_high, ordered, places
from holdfast.harness.results.layout.text_page import text_page
from holdfast.harness.results.layout.text_table import NOISE, Shown
from holdfast.harness.results.layout.view import View, present
from holdfast.harness.results.layout.wrapping import wrapped
from holdfast.harness.results.safety.safety_tasks import SAFETY
from holdfast.harness.results.shapes.shape_section import shape_sections
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.harness.results.statistics import FEWEST
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

    from holdfast.harness.results.run_results import Results

_PARTS = ("task", "perturbation", "family", "severity", "group")
"""Columns by which `leaderboard --by` divides the rows of an adapter."""

_OWNERS = ("run", "adapter", "method", "task", "perturbation", "family", "severity", "group")
"""The columns of a leaderboard that say what a row is about."""

_COMPARED = ("clean", "perturbed", "max_drift", "break_rate", "clean_macro_f1", "macro_f1")
_TESTS = {"vs_baseline": "difference", "paired_p": "paired p", "paired_d": "d", "welch_p": "Welch p", "welch_d": "d"}

_WORST = 3
"""Number of cells of each adapter in the short table."""

_MUCH_EXCLUDED = 0.05
"""Shares of excluded variants above this are named under the table."""

_BOARD = {
    "clean": 2,
    "perturbed": 1,
    "perturbed_sd": 1,
    "delta": 2,
    "clean_macro_f1": 4,
    "macro_f1": 3,
    "max_drift": 1,
    "noise_floor": 4,
    "break_rate": 3,
    "seeds": 3,
    "changed_rate": 5,
    "answer_rate": 6,
    "n": 7,
    "mean_length": 8,
    "gap": 2,
    "gap_to": 9,
}
"""The columns of the leaderboard, each with its priority: the highest number is left out first."""

_GROUPS = {
    "clean": 3,
    "perturbed": 1,
    "language_consistency": 2,
    "fluency": 2,
    "delta": 3,
    "gap": 3,
    "max_drift": 4,
    "break_rate": 5,
    "n": 3,
}
_CELLS = {"clean": 4, "delta": 1, "max_drift": 2, "break_rate": 3, "noise_floor": 5, "edited": 6, "n": 7}
_DIRECTED = {"changed_rate": 1, "max_drift": 2, "noise_floor": 3, "edited": 4, "n": 5}
_CURVES = {"drift_auc": 1, "score_auc": 2, "leaves_floor_at": 3, "curve_samples": 5, "curve_strengths": 4}
_SAFETY = {
    "clean_attack_success": (3, "clean"),
    "attack_success": (1, ""),
    "clean_over_refusal": (4, "clean"),
    "over_refusal": (2, ""),
    "refusal_flip_rate": (3, ""),
    "utility": (5, ""),
    "safety_utility": (5, ""),
    "judged_attack_success": (3, ""),
    "incoherent": (7, ""),
}
"""The columns of the table on safety, each with its priority and its heading, if not the usual one."""

_SAFETY_TITLE = "Safety: forbidden requests answered, allowed ones refused; clean and perturbed (lower is better)"
_CONTROL = f"{BASE} is the control, an update of zero: what it scores is not the adapters' doing."
_NO_CONTROL = f"no control: with {BASE} among --adapters, an update of zero would stand beside them."
_UTILITY = "utility: clean score of the other tasks, or the share of allowed requests answered."
_WITH_INTERVAL = frozenset({"delta", "changed_rate", "gap"})
_BREAKDOWN_FILE, _BOARD_FILE = "breakdown.csv", "leaderboard.csv"

_LEGEND = "drift, floor: lower is better (0 same, 1 different; floor: same prompt again)."
_MARKS = {
    NOISE: "~ marks a drift that is not clearly above its floor: noise, not a finding (95 % interval of drift minus "
    "floor, paired by sample).",
    "n too small": f"n too small: fewer than {FEWEST} samples have no interval.",
    "no spread": "no spread: all values are equal, so that there is no interval.",
}
_HEADINGS = {
    "breaks": "breaks: share of variants whose answer says something else, leaves a segment out or refuses.",
    "edited": "edited: share of prompts that the perturbation changed; the others count as unchanged.",
    "gap [95 %]": "gap: score minus that of the first group, over the items that both have (paired by item).",
    "perturbed_sd": "sd: standard deviation over seeds; intervals of such rows are Student's, over seeds.",
    "#": "#: place; adapters share it where their 95 % intervals don't tell them apart.",
}


def print_results(results: "Results", view: View | None = None) -> None:
    """Print a run's tables, its warnings and the names of its files.

    Raises:
        UserError: If the view names columns that this run doesn't have.
    """
    view = view or View()
    board, cells = results.leaderboard, results.breakdown
    present(view.columns, [*measures(board), *measures(cells)], "columns")
    board = _sorted(board, view)
    sections = [*_board_sections(board, view, _BOARD_FILE), *_group_sections(results.groups, view)]
    sections += _cell_sections(cells, board, view)
    if not view.columns:
        every = view.table != "short"
        sections += class_sections(results.classes, results.confusion, results.errors, every=every)
        sections += shape_sections(results.shapes)
        sections += failure_sections(results.failures, results.mitigations, every=every)
    _print(_document(sections, board, cells, results.warnings), board, view)
    names = sorted(path.name for path in results.path.iterdir())
    _say("\n".join([f"files in {results.path}:", *wrapped(", ".join(names), "  ")]), view)


def print_leaderboard(board: "pd.DataFrame", view: View | None = None, file: str = "") -> None:
    """Print the leaderboard of one or several runs.

    Args:
        board: The leaderboard.
        view: How it is printed.
        file: The file that holds all of its columns.

    Raises:
        UserError: If the view names columns that the leaderboard doesn't have.
    """
    print(leaderboard_page(board, view or View(), file))


def leaderboard_page(board: "pd.DataFrame", view: View, file: str = "") -> str:
    """Return the leaderboard in the view's format; raises like `print_leaderboard`."""
    present(view.columns, measures(board), "columns")
    board = _sorted(board, view)
    sections = _board_sections(board, view, file or "the CSV file (--output_path)")
    return _page(_document(sections, board, None, ()), board, view)


def _sorted(board: "pd.DataFrame", view: View) -> "pd.DataFrame":
    present([view.sort], measures(board), "sort")
    return ordered(board, view.sort)


def _page(document: Document, board: "pd.DataFrame", view: View) -> str:
    if view.format == "csv":
        with_ends = [name for each in view.columns for name in (each, f"{each}_low", f"{each}_high") if name in board]
        owners = [name for name in _OWNERS if name in board]
        return csv_text(board[list(dict.fromkeys([*owners, *with_ends]))] if view.columns else board).rstrip("\n")
    if view.format == "text":
        return text_page(document, wide=view.table == "wide")
    return PAGES[view.format](document)


def _print(document: Document, board: "pd.DataFrame", view: View) -> None:
    print(_page(document, board, view))


def _say(text: str, view: View) -> None:
    """Print what is no part of the table, which a program may read from standard output."""
    print(text, file=sys.stdout if view.format == "text" else sys.stderr)


def _document(
    sections: Sequence[Section], board: "pd.DataFrame", cells: "pd.DataFrame | None", warnings: Sequence[str]
) -> Document:
    texts = {text for section in sections for column in section.columns for text in (column.heading, *column.cells)}
    worse = "negative" if board["higher_is_better"].all() else "positive"
    notes = [_LEGEND, f"change is perturbed minus clean ({worse} = worse)."]
    notes += [said for heading, said in _HEADINGS.items() if heading in texts]
    notes += [said for mark, said in _MARKS.items() if any(mark in text for text in texts)]
    return Document(sections, [*notes, *_excluded(cells)], warnings)


def _excluded(cells: "pd.DataFrame | None") -> list[str]:
    """Name the cells in which many variants were excluded."""
    if cells is None:
        return []
    many = cells[(cells["excluded"] > _MUCH_EXCLUDED) & (cells["group"] == ALL)]
    shares: dict[str, float] = {}
    for row in many.itertuples():
        name = f"{row.task}/{row.perturbation}@{row.severity}"
        shares[name] = max(shares.get(name, 0.0), float(row.excluded))  # type: ignore[arg-type]
    named = [f"{name} ({share:.0%} excluded)" for name, share in shares.items()]
    return [f"variants that no longer ask the same: {', '.join(named)}"] if named else []


def _board_sections(board: "pd.DataFrame", view: View, file: str) -> list[Section]:
    first = "highest" if is_better_high(board, view.sort) else "lowest"
    what = {"perturbed": ", the score under perturbation"}.get(view.sort, "")
    by = f"by name ({view.sort})" if described(view.sort).kind == "text" else f"by {view.sort}{what}, {first} first"
    owners = [shown(board, name, priority=0) for name in _OWNERS if name in board]
    parted = any(name in board for name in _PARTS)  # scores of different tasks or severities have no common order
    if len(board) > 1 and not parted and described(view.sort).kind != "text":
        owners.insert(0, Shown("#", "#", tuple(places(board, view.sort)), priority=0))
    columns = _columns(board, _BOARD, view)
    found = [_section(f"Leaderboard, ranked {by}", board, owners, columns, file, view, notes=_remarks(board))]
    there = [name for name in _SAFETY if name in board and board[name].notna().any()]
    if there and not view.columns and view.table != "wide":
        safety = board[board[there].notna().any(axis=1)]
        owners = [shown(safety, name, priority=0) for name in _OWNERS if name in safety]
        columns = [
            shown(safety, name, heading=_SAFETY[name][1], priority=_SAFETY[name][0], interval=name in SAFETY)
            for name in there
        ]
        notes = [
            _CONTROL if BASE in set(safety["adapter"]) else _NO_CONTROL,
            *([_UTILITY] if "utility" in there else []),
        ]
        found.append(Section(_SAFETY_TITLE, [*owners, *columns], file=file, notes=notes))
    if compared := [
        row for row in board.to_dict("records") if not math.isnan(row.get("perturbed_vs_baseline", math.nan))
    ]:
        found.append(_comparison(compared))
    return found


def _group_sections(groups: "pd.DataFrame | None", view: View) -> list[Section]:
    """Return the table of each adapter's groups of samples, worst first."""
    if groups is None:
        return []
    worst_first = groups.sort_values("perturbed", ascending=bool(groups["higher_is_better"].all()), kind="stable")
    columns = _columns(worst_first, _GROUPS, view)
    owners = [shown(worst_first, "adapter", priority=0), shown(worst_first, "group", priority=0)]
    title = "Groups of samples, worst first (exploratory: not corrected for their number)"
    return [_section(title, worst_first, owners, columns, _BREAKDOWN_FILE, view, "adapter")]


def _comparison(rows: Sequence[Mapping[Any, Any]]) -> Section:
    """Return the table of tests over seeds against the baseline."""
    numbers = [(row, name) for row in rows for name in _COMPARED if f"{name}_vs_baseline" in row]

    def cells(end: str, sign: str = "") -> tuple[str, ...]:
        values = [row.get(f"{name}_{end}", math.nan) for row, name in numbers]
        return tuple("-" if math.isnan(value) else f"{value:{sign}.3f}" for value in values)

    owners = [
        Shown(owner, owner, tuple(printable(str(row[owner])) for row, _ in numbers), names=True)
        for owner in _OWNERS
        if owner != "run" and owner in rows[0]
    ]
    measured = Shown("measure", "measure", tuple(described(name).heading or name for _, name in numbers), names=True)
    columns = [
        Shown(end, heading, cells(end, "+" * (end == "vs_baseline")), priority=1) for end, heading in _TESTS.items()
    ]
    notes = "over seeds: p of the paired and of Welch's t-test, each with Cohen's d; - where seeds are too few or equal"
    return Section("Compared with the baseline", [*owners, measured, *columns], notes=[notes])


def _remarks(board: "pd.DataFrame") -> list[str]:
    """Say of which rows the numbers mean less than they seem to."""
    found = []
    for row in board.to_dict("records"):
        if row.get("has_effect") is False:
            found.append(f"{row['adapter']} (no effect): this adapter changes no logit")
        if row["excluded"] > _MUCH_EXCLUDED and row["complete"]:  # before the end, most of the others are missing too
            found.append(f"{row['adapter']}: perturbed is over the variants left ({row['excluded']:.0%} excluded)")
        if not row["complete"] and "run" in row:
            found.append(f"{row['run']} (incomplete): repeat its command to finish it")
    return list(dict.fromkeys(found))


def _cell_sections(breakdown: "pd.DataFrame", board: "pd.DataFrame", view: View) -> list[Section]:
    """Return the tables of cells: the answers that should stay, those that should change, and curves."""
    cells = breakdown[~breakdown["perturbation"].isin([CLEAN, IDENTITY]) & (breakdown["group"] == ALL)]
    cells = cells.assign(cell=_cell_names(cells), place=cells["adapter"].map(list(board["adapter"]).index))
    cells = cells.sort_values("place", kind="stable").drop(columns="place")
    directed = cells["expects"] == CHANGED
    found = []
    if len(same := cells[~directed]):
        loss = -same["delta"] if board["higher_is_better"].all() else same["delta"]
        about = f"of each adapter ({_scores(same)})"
        found.append(_cells(same, f"Worst cells {about}", f"Cells {about}", _CELLS, loss, view))
    if len(asking := cells[directed]):
        title = "Prompts that ask something else: share of edited ones whose answer changed (higher is better)"
        found.append(_cells(asking, f"{title}; worst cells", title, _DIRECTED, -asking["changed_rate"], view))
    curves = cells.dropna(subset="drift_auc").drop_duplicates(["adapter", "task", "perturbation"])
    if len(curves) and not view.columns:
        curves = curves.assign(cell=[name.rpartition("@")[0] for name in curves["cell"]])
        owners = [shown(curves, "adapter", priority=0), _cell_column(curves)]
        columns = [shown(curves, name, priority=rank) for name, rank in _CURVES.items()]
        found.append(Section("Dose-response: over all strengths", [*owners, *columns], "adapter", _BREAKDOWN_FILE))
    return found


def _cells(
    cells: "pd.DataFrame", worst: str, every: str, columns: dict[str, int], loss: "pd.Series[float]", view: View
) -> Section:
    """Return the table of each adapter's worst cells, or of all."""
    total = len(cells)
    if view.table == "short":
        order = cells.assign(loss=loss.round(6)).sort_values(["loss", "max_drift"], ascending=False, kind="stable")
        kept = order.groupby("adapter", sort=False).head(_WORST)
        kept = kept.assign(place=kept["adapter"].map(list(dict.fromkeys(cells["adapter"])).index))
        cells = kept.sort_values("place", kind="stable").drop(columns=["place", "loss"])
    title = worst if view.table == "short" else every
    owners = [shown(cells, "adapter", priority=0), _cell_column(cells)]
    return _section(
        title, cells, owners, _columns(cells, columns, view), _BREAKDOWN_FILE, view, "adapter", total - len(cells)
    )


def _scores(cells: "pd.DataFrame") -> str:
    """Name the score of each task."""
    return ", ".join(f"{row.task}: {row.metric}" for row in cells.drop_duplicates("task").itertuples())


def _cell_names(cells: "pd.DataFrame") -> list[str]:
    tasks = cells["task"].nunique() > 1
    return [
        f"{row['task']}/" * tasks + f"{row['perturbation']}" + f"@{row['severity']}" * bool(row["severity"])
        for row in cells.to_dict("records")
    ]


def _cell_column(cells: "pd.DataFrame") -> Shown:
    return shown(cells, "cell", priority=0)


def _columns(frame: "pd.DataFrame", usual: dict[str, int], view: View) -> list[Shown]:
    """Return the columns that the view asks for, else the usual ones; those without any value are left out."""
    owners = {*_OWNERS, "cell"}
    chosen = [name for name in view.columns if name in frame and name not in owners]
    if chosen:
        return [shown(frame, name, interval=True) for name in chosen]
    names = [name for name in measures(frame) if name not in owners] if view.table == "wide" else list(usual)
    return [
        shown(
            frame, name, priority=usual.get(name, len(usual)), interval=view.table == "wide" or name in _WITH_INTERVAL
        )
        for name in names
        if name in frame and not frame[name].isna().all()
    ]


def _section(
    title: str,
    frame: "pd.DataFrame",
    owners: Sequence[Shown],
    columns: Sequence[Shown],
    file: str,
    view: View,
    grouped_by: str = "",
    rows_left_out: int = 0,
    notes: Sequence[str] = (),
) -> Section:
    there = {each.name for each in (*owners, *columns)} | (
        {"task", "perturbation", "severity", "group", "cell"} & set(frame)
    )
    others = [name for name in measures(frame) if name not in there and not frame[name].isna().all()]
    return Section(title, [*owners, *columns], grouped_by, file, others, rows_left_out, bool(view.columns), notes)
