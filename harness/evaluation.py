"""The main job: plan, generate, score, store, summarise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import Build
from holdfast.harness.execute.distributed import on_ray
from holdfast.harness.execute.execution import execute
from holdfast.harness.plan.packs import with_pack
from holdfast.harness.plan.preparation import new_manifest, prepare
from holdfast.harness.results.run_results import Results
from holdfast.harness.results.summary import summarise
from holdfast.harness.store.config import RunConfig, make_config
from holdfast.harness.store.manifest import (
    check_same_run,
    read_manifest,
)
from holdfast.harness.store.records import SAMPLES, Samples, make_folder
from holdfast.tasks import Task


def evaluate(
    config: RunConfig | None = None,
    *,
    tasks: Sequence[str | Task] | str | None = None,
    backend: Build | None = None,
    **settings: Any,
) -> Results:
    """Run an evaluation, or resume it where `output_path` holds a part of it already.

    `settings` are the fields of RunConfig (the flags of `holdfast run`), over those of `config` if that is given;
    `tasks` may hold Task objects beside names and files; `backend` replaces the registered backend's builder. Raises
    UserError for any mistake in the input, before anything is generated where it can be seen that early.
    """
    given = tasks.split(",") if isinstance(tasks, str) else tasks
    if given is not None:
        settings["tasks"] = [task.name if isinstance(task, Task) else task for task in given]
    asked = config.model_dump(exclude_unset=True) if config else {}
    config = with_pack(make_config({**asked, **settings}))
    prepared = prepare(config, given, check_backend=backend is None)
    folder = make_folder(Path(config.output_path))
    with Samples(folder / SAMPLES) as samples:
        manifest = new_manifest(prepared)
        before = read_manifest(folder)
        if before is not None:
            check_same_run(before, manifest, folder)
            manifest = before
        if manifest.status != "complete" or samples.count() < manifest.generations:
            execute(prepared, manifest, samples, on_ray(config, backend or backends.get(config.model).build))
    return Results(folder, *summarise(folder), tuple(manifest.warnings))
