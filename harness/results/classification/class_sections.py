"""The printed tables of classes, of confusions and of the worst categories."""

from typing import TYPE_CHECKING

from holdfast.errors import printable
from holdfast.harness.results.layout.document import Section, shown
from holdfast.harness.results.layout.text_table import Shown
from holdfast.harness.store.records import CLEAN
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

_MOST = 8
"""A confusion matrix of more classes is only in its file."""

_WORST = 5
_SCORES = {"macro_f1": 1, "weighted_f1": 3, "ece": 2, "flip_rate": 2, "label_given": 5, "n": 4}


def class_sections(
    classes: "pd.DataFrame | None",
    confusion: "pd.DataFrame | None",
    errors: "pd.DataFrame | None",
    *,
    every: bool,
) -> list[Section]:
    """Return the table of F1, the confusion matrices of clean prompts, and the worst categories.

    Args:
        classes: `Tables.classes`.
        confusion: `Tables.confusion`.
        errors: `Tables.errors`.
        every: Show each perturbation and category, and not only all of them together or the worst.
    """
    found: list[Section] = []
    if classes is not None:
        rows = classes if every else classes[classes["perturbation"].isin([CLEAN, ALL])]
        owners = [shown(rows, name, priority=0) for name in ("adapter", "task", "perturbation", "severity")]
        columns = [shown(rows, "accuracy", interval=True, priority=0)]
        columns += [
            shown(rows, name, priority=rank, interval=name == "macro_f1")
            for name, rank in _SCORES.items()
            if not rows[name].isna().all()
        ]
        title = "Classification: clean, and all perturbations together (flips: predicted label changes)"
        left_out = len(classes) - len(rows)
        found.append(Section(title, [*owners, *columns], "adapter", "classes.csv", rows_left_out=left_out))
    if confusion is not None:
        found += [
            _matrix(str(task), mine)
            for task, mine in confusion[confusion["prompts"] == CLEAN].groupby("task", sort=False)
            if mine["label"].nunique() <= _MOST
        ]
    if errors is not None:
        rows = errors if every else errors.groupby(["adapter", "task"], sort=False).head(_WORST)
        owners = [shown(rows, name, priority=0) for name in ("adapter", "task", "kind", "category")]
        columns = [shown(rows, "error_rate", interval=True, priority=0), shown(rows, "wrong"), shown(rows, "n")]
        left_out = len(errors) - len(rows)
        title = "Where most errors are (exploratory: not corrected for the number of categories)"
        found.append(Section(title, [*owners, *columns], "adapter", "errors.csv", rows_left_out=left_out))
    return found


def _matrix(task: str, mine: "pd.DataFrame") -> Section:
    """Return the confusion matrix of each adapter for one task: a row per right label, a column per predicted one."""
    table = mine.pivot_table("count", ["adapter", "label"], "predicted", sort=False, fill_value=0)
    adapters, labels = zip(*table.index, strict=True)
    columns = [
        Shown("adapter", "adapter", tuple(map(printable, adapters)), names=True),
        Shown("label", "right label", tuple(map(printable, labels)), names=True),
        *(
            Shown(
                f"as {name}",
                f"as {printable(name)}" if name else "none",
                tuple(f"{count:.0f}" for count in table[name]),
                part_of_matrix=True,
            )
            for name in table.columns
        ),
    ]
    return Section(f"Confusion of clean answers ({task})", columns, "adapter", "confusion.csv")
