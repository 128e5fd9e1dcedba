"""A run's results, for Python and notebooks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast import notebook
from holdfast.harness.results.intervals import with_interval
from holdfast.harness.results.summary import Tables, tables_of
from holdfast.harness.store.manifest import Manifest, not_a_run, read_manifest
from holdfast.harness.store.stored_run import open_run
from holdfast.paths import as_path

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Results:
    """The results of a run.

    Attributes:
        path: The run's directory.
        breakdown: One row per adapter, task, group (`all` and each group of samples), perturbation and severity.
        leaderboard: One row per adapter, best first by the score under perturbation.
        groups: One row per adapter and group of samples; None if no sample has a group.
        failures: One row per adapter, task, perturbation and kind of failure; None if no answer is known to be wrong.
        mitigations: One row per adapter, mitigation and task, before and after; None if there was no mitigation.
        classes: One row per adapter, task, perturbation and severity of classifications; None if no task has labels.
        confusion: One row per adapter, task, right and predicted label, clean and perturbed; None without labels.
        errors: One row per adapter, task and category of answers with errors, worst first; None without labels.
        shapes: One row per adapter, task and perturbation of the prompt's shape; None if there was none.
        warnings: The run's warnings.
    """

    path: Path
    breakdown: "pd.DataFrame"
    leaderboard: "pd.DataFrame"
    groups: "pd.DataFrame | None" = None
    warnings: tuple[str, ...] = ()
    failures: "pd.DataFrame | None" = None
    mitigations: "pd.DataFrame | None" = None
    classes: "pd.DataFrame | None" = None
    confusion: "pd.DataFrame | None" = None
    errors: "pd.DataFrame | None" = None
    shapes: "pd.DataFrame | None" = None

    @cached_property
    def manifest(self) -> Manifest:
        """The content of run.json: configuration, versions, digests, timings."""
        found = read_manifest(self.path)
        if found is None:
            raise not_a_run(self.path)
        return found

    @cached_property
    def samples(self) -> "pd.DataFrame":
        """One row per answer, with a column per score (NaN where a score does not apply)."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for line in open_run(self.path).answers():
            scores = line.pop("scores")
            rows.append({**line, **scores})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        board = self.leaderboard
        scores = ", ".join(f"{row.adapter} {row.clean:.3f} -> {row.perturbed:.3f}" for row in _rows(board.head(3)))
        more = f", {len(board) - 3} more" if len(board) > 3 else ""
        warned = f"; {len(self.warnings)} warnings" if self.warnings else ""
        return f"Results({self.path}: {scores}{more}; clean -> perturbed{warned})"

    def _repr_html_(self) -> str:
        """The leaderboard in a notebook, shaded by drift, and the warnings."""
        rows = [
            (
                notebook.text(row.adapter),
                f"{row.clean:.3f}",
                f"{row.perturbed:.3f}",
                with_interval(row._asdict(), "delta", "+"),
                notebook.shaded(f"{row.max_drift:.3f}", min(1.0, max(0.0, row.max_drift))),
                f"{row.noise_floor:.3f}",
                f"{row.break_rate:.1%}",
                notebook.text(row.worst_cell),
            )
            for row in _rows(self.leaderboard)
        ]
        columns = ("adapter", "clean", "perturbed", "change [95 %]", "max drift", "noise floor", "breaks", "worst cell")
        warnings = "".join(f"<p>{notebook.text('Warning: ' + warning)}</p>" for warning in self.warnings)
        return notebook.table(f"{self.path}", columns, rows) + warnings


def load_run(path: str | Path) -> Results:
    """Open the run in a directory, finished or not; nothing is written to it.

    Args:
        path: A directory written by `holdfast run` or `evaluate`.

    Returns:
        Its results; for an interrupted run, those of the answers so far.

    Raises:
        UserError: If the directory has no run or no answers, or was written by an incompatible version.
    """
    folder = as_path(path, "path")
    tables = tables_of(folder)
    manifest = read_manifest(folder)
    warnings = manifest.warnings if manifest else ()
    return results_of(folder, tables, warnings)


def results_of(folder: Path, tables: Tables, warnings: Sequence[str]) -> Results:
    """Return the results of a run with these tables and warnings."""
    return Results(
        folder,
        tables.breakdown,
        tables.leaderboard,
        tables.groups,
        tuple(warnings),
        tables.failures,
        tables.mitigations,
        tables.classes,
        tables.confusion,
        tables.errors,
        tables.shapes,
    )


def _rows(table: "pd.DataFrame") -> Iterator[Any]:
    """Iterate over the rows of a table, with columns as attributes."""
    return table.itertuples(index=False)
