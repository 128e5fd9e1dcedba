"""Merge the leaderboards of several runs."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from holdfast.errors import UserError
from holdfast.harness.results.adapter_rows import By, best_first
from holdfast.harness.results.over_seeds import over_seeds, with_origin
from holdfast.harness.results.run_results import Results
from holdfast.harness.results.spreadsheet import csv_text
from holdfast.harness.results.summary import leaderboard_of
from holdfast.harness.results.transfer_matrix import transfer_matrix
from holdfast.harness.store.manifest import read_manifest
from holdfast.metrics.adapters.geometry import total
from holdfast.paths import as_path
from holdfast.writing import check_own_file, write_text

if TYPE_CHECKING:
    import pandas as pd

_BEGINNING = (
    rb"run,adapter,(trained_on,|(\w+,)?digest,scale,variants,)|<!-- holdfast leaderboard|% holdfast leaderboard"
)
"""How the file of a leaderboard begins, in any format."""

_RUN_BY: Mapping[str, By] = {"method": "adapter", "transfer": "task"}
"""What a run's own leaderboard has a row for, where it isn't what the merged one has."""

_COMPARABLE = ("tasks", "perturbations", "severity", "repeats", "limit", "encoder", "comparer", "granularity")
"""Settings in which runs must agree for their scores to be compared."""


def leaderboard(
    runs: Sequence[str | Path | Results] | str | Path | Results,
    *,
    output_path: str | Path | None = None,
    geometry: bool = False,
    by: By | Literal["method", "transfer"] = "adapter",
    baseline: str | None = None,
) -> "pd.DataFrame":
    """Merge the leaderboards of several runs, best first; rows that differ only in their seed become one.

    Each run is summarised again from its samples, so that an interrupted run counts with the answers it has; nothing
    is written to it. Warns about runs that are incomplete, or whose settings differ from those of the first.

    Args:
        runs: Directories written by `holdfast run`, or the results of `evaluate`; one may stand alone.
        output_path: A CSV file to write the result to. A file that is there already is only replaced if it holds a
            leaderboard.
        by: Give each adapter a row for each task, perturbation, family of perturbations, severity or group of
            samples; or give each method of training one row; or return the `transfer_matrix`.
        baseline: The adapter (or method) that the others are compared with, over seeds.
        geometry: Add each adapter's `update_norm`, `spectral_norm` and `effective_rank`.

    Returns:
        A row per adapter and run (and task, ...), with the run that it comes from and the data it was `trained_on`.

    Raises:
        UserError: If a directory holds no run, there is no group to have a row, the runs' scores point in opposite
            directions, or `output_path` can't be written.
    """
    import pandas as pd

    if by == "transfer" and (geometry or baseline is not None):
        raise UserError("the transfer matrix has no room for --geometry or --baseline: omit them, or use --by task")
    folders = _folders(runs)
    if output_path:
        check_leaderboard_file(Path(output_path))
    boards = []
    for run in folders:
        board = leaderboard_of(run, _RUN_BY.get(by) or cast(By, by))
        board.insert(0, "run", str(run))
        manifest = read_manifest(run)
        assert manifest is not None  # or there would be no leaderboard
        board = with_origin(board, manifest)
        if geometry:
            board = board.merge(_geometries(run), on="adapter", how="left")
        boards.append(board)
        if not board["complete"].all():
            warnings.warn(f"{run} is incomplete: repeat its command to finish it", stacklevel=2)
        differing = [name for name in differing_settings(folders[0], run) if (by, name) != ("transfer", "tasks")]
        if differing:
            warnings.warn(f"{run} differs from {folders[0]} in {', '.join(differing)}: compare with care", stacklevel=2)
    merged = pd.concat(boards, ignore_index=True)
    if merged["higher_is_better"].nunique() > 1:
        raise UserError("higher scores are better in some of these runs, lower ones in others: merge them separately")
    part = [] if by in ("adapter", "method") else ["task" if by == "transfer" else by]
    merged = best_first(over_seeds(merged, part, baseline, by_method=by == "method"))
    if by == "method":
        merged.insert(2, "method", merged.pop("method"))
    if by == "transfer":
        merged = transfer_matrix(merged)
    if output_path:
        write_leaderboard(merged, Path(output_path))
    return merged


def _folders(runs: Sequence[str | Path | Results] | str | Path | Results) -> list[Path]:
    """Return the directories of the runs; raises UserError if there is none, or one is named twice."""
    several = [runs] if isinstance(runs, (str, Path, Results)) else runs
    folders = [run.path if isinstance(run, Results) else as_path(run, "a run") for run in several]
    if not folders:
        raise UserError("name at least one run, as in results/run")
    places = [folder.resolve() for folder in folders]
    if twice := next((run for run, place in zip(folders, places, strict=True) if places.count(place) > 1), None):
        raise UserError(f"{twice} is named twice: name each run once")
    return folders


def check_leaderboard_file(target: Path) -> None:
    """Raise UserError unless a leaderboard can be written to `target`: it is new, or holds one."""
    check_own_file(target, _BEGINNING)


def write_leaderboard(board: "pd.DataFrame", target: Path) -> None:
    """Write a leaderboard as CSV."""
    write_text(target, csv_text(board))


def _geometries(run: Path) -> "pd.DataFrame":
    """Return one row per LoRA adapter of a run whose files still exist."""
    import pandas as pd

    from holdfast.harness.models.adapter_geometry import inspect_adapter

    manifest = read_manifest(run)
    rows = []
    for entry in manifest.adapters if manifest else ():
        if entry.path:
            try:
                whole = total(inspect_adapter(entry.path))
            except UserError as error:
                warnings.warn(f"{run}: can't compute the geometry of '{entry.name}': {error}", stacklevel=3)
                continue
            sizes = entry.scale * whole.norm, entry.scale * whole.spectral_norm, whole.effective_rank
            rows.append((entry.name, *sizes))
    return pd.DataFrame(rows, columns=["adapter", "update_norm", "spectral_norm", "effective_rank"])


def differing_settings(first: Path, other: Path) -> list[str]:
    """Return the settings in which two runs differ and should not, for their scores to be compared."""
    manifests = [read_manifest(run) for run in (first, other)]
    one, two = (manifest.config for manifest in manifests if manifest)
    return [name for name in _COMPARABLE if getattr(one, name) != getattr(two, name)]
