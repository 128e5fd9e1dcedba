"""`holdfast export`: a finished run in the format of another tool."""

import importlib.util
import tempfile
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.results.export.exported_run import exported_run
from holdfast.harness.results.export.exporter import Exporter, exporters
from holdfast.metrics.collecting import collection_paused
from holdfast.writing import atomic_path, check_folder_target, named_errors, new_folder

EXTRA = "pip install 'holdfast-eval[exports]'"


@collection_paused()
def export(run: Path, to: str, *, output_path: Path | None = None, force: bool = False) -> list[Path]:
    """Write a run in the format of another tool.

    Args:
        run: The directory of a finished run.
        to: The name of the format.
        output_path: A folder for its files; by default `exports/FORMAT` in the run.
        force: Replace files that are there already.

    Returns:
        The files that were written, or the folder of a store.

    Raises:
        UserError: If there is no such format or run, the run isn't finished, the format can't hold it, a package is
            missing, or a file is there already.
    """
    chosen = exporters.get(to)
    _check_installed(chosen)
    target = output_path or run / "exports" / to
    check_folder_target(target)
    found = exported_run(run)
    if chosen.appends:
        with named_errors(target), new_folder(target):
            chosen.write(found, target)
        return [target]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        chosen.write(found, folder)
        names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
        there = next((target / name for name in names if (target / name).exists()), None)
        if there is not None and not force:
            raise UserError(f"'{there}' already exists: add --force to replace it, or choose another --output_path")
        for name in names:
            with atomic_path(target / name) as path:
                path.write_bytes((folder / name).read_bytes())
    return [target / name for name in names]


def _check_installed(chosen: Exporter) -> None:
    missing = [name for name in chosen.modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"--to {chosen.name} needs {', '.join(missing)}, which is not installed: {EXTRA}")
