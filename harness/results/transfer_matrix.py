"""The transfer matrix: how adapters trained on one data set do on each task of their runs."""

from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.results.layout.document import Document, Section, shown
from holdfast.harness.results.layout.markup_pages import PAGES
from holdfast.harness.results.layout.text_page import text_page
from holdfast.harness.results.layout.view import View
from holdfast.harness.results.spreadsheet import csv_text

if TYPE_CHECKING:
    import pandas as pd

_OWNERS = ("run", "adapter", "trained_on")
_SCORES = ("clean", "perturbed")


def transfer_matrix(board: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each adapter and the data it was trained on, with two columns for each task.

    Args:
        board: A leaderboard of one or several runs by task, with `trained_on`.

    Returns:
        `TASK_clean` and `TASK_perturbed` are the mean headline scores, NaN where no run has asked the adapter that
        task; the rows of one training set follow each other. An adapter in several runs is one row if no task is in
        two of them, and adapters with the same training set are not averaged.
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for _, mine in board.groupby(["trained_on", "adapter", "digest"], sort=False):
        asked_twice = mine["task"].duplicated().any()
        for _, together in mine.groupby("run", sort=False) if asked_twice else [("", mine)]:
            row: dict[str, object] = {"run": ", ".join(dict.fromkeys(together["run"]))}
            row |= {name: together[name].iloc[0] for name in _OWNERS if name not in row}
            for scores in together.to_dict("records"):
                row |= {f"{scores['task']}_{name}": scores[name] for name in _SCORES}
            rows.append(row)
    matrix = pd.DataFrame(rows)
    tasks = [f"{task}_{name}" for task in sorted(set(board["task"])) for name in _SCORES]
    return matrix[[*_OWNERS, *tasks]].sort_values(["trained_on", "adapter"], kind="stable", ignore_index=True)


def transfer_page(matrix: "pd.DataFrame", view: View, file: str) -> str:
    """Return the matrix in the view's format.

    Raises:
        UserError: If the view chooses columns or an order, which the matrix has of its own.
    """
    if view.columns or view.sort != View().sort:
        raise UserError("--columns and --sort don't apply to the transfer matrix: omit them, or use --by task")
    if view.format == "csv":
        return csv_text(matrix).rstrip("\n")
    owners = [shown(matrix, name, priority=0) for name in ("trained_on", "adapter")]
    tasks = [shown(matrix, str(name)) for name in matrix.columns[len(_OWNERS) :]]
    title = "Transfer: data trained on, and the score in each task (clean; mean over perturbed prompts)"
    document = Document([Section(title, [*owners, *tasks], "trained_on", file)])
    return text_page(document, wide=view.table == "wide") if view.format == "text" else PAGES[view.format](document)
