"""The printed tables of failures and of mitigations."""

from typing import TYPE_CHECKING

from holdfast.harness.results.layout.document import Section, shown
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd


def failure_sections(
    failures: "pd.DataFrame | None", mitigations: "pd.DataFrame | None", *, every: bool
) -> list[Section]:
    """Return the table of why answers were wrong, and that of what mitigations changed.

    Args:
        failures: `Tables.failures`.
        mitigations: `Tables.mitigations`.
        every: Show each perturbation, and not only all of them together.
    """
    found = []
    if failures is not None:
        there = failures[failures["count"] > 0]
        rows = _most_first(there if every else there[there["perturbation"] == ALL])
        rows = rows.assign(n=rows["wrong"])  # what the interval is of
        columns = [shown(rows, name, priority=0) for name in ("adapter", "task", "perturbation", "failure")]
        columns += [shown(rows, "share", interval=True), shown(rows, "count"), shown(rows, "wrong", priority=2)]
        title = "Why short answers are wrong (shares of the wrong ones; kinds that occur)"
        found.append(Section(title, columns, "adapter", "failures.csv", rows_left_out=len(there) - len(rows)))
    if mitigations is not None:
        columns = [shown(mitigations, name, priority=0) for name in ("adapter", "mitigation", "task", "prompts")]
        columns += [
            shown(mitigations, "change", interval=True),
            shown(mitigations, "before"),
            shown(mitigations, "after"),
        ]
        columns.append(shown(mitigations, "n", priority=2))
        title = "Mitigations: the same variants without and with the text (paired by variant)"
        found.append(Section(title, columns, "adapter", "mitigations.csv"))
    return found


def _most_first(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Sort the kinds within each adapter and cell by their number, without moving adapters or cells."""
    cells = rows.groupby(["adapter", "task", "perturbation"], sort=False).ngroup()
    return (
        rows.assign(cell=cells)
        .sort_values(["cell", "count"], ascending=[True, False], kind="stable")
        .drop(columns="cell")
    )
