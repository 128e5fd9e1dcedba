"""The main job: plan, generate, score, store, summarise."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends import Adapter, Backend, backends
from holdfast.harness.backends.types import BackendOptions
from holdfast.harness.checkpoints import find_adapters, find_base
from holdfast.harness.config import RunConfig, make_config
from holdfast.harness.embeddings import EmbeddingFile
from holdfast.harness.manifest import (
    AdapterEntry,
    Manifest,
    TaskEntry,
    check_same_run,
    hardware,
    now,
    read_manifest,
    versions,
)
from holdfast.harness.plan import Plan, make_plan
from holdfast.harness.progress import progress_bar
from holdfast.harness.records import SAMPLES, Samples
from holdfast.harness.running import Running
from holdfast.harness.scoring import Scorer, headline_of, metrics_of
from holdfast.harness.summary import summarise
from holdfast.metrics.encoders import encoders
from holdfast.tasks import Task, load_task

if TYPE_CHECKING:
    import pandas as pd

PROBES = 4
"""Prompts on which adapters are probed before the run."""

Connect = Callable[[BackendOptions, Sequence[Adapter]], Backend]


@dataclass(frozen=True, slots=True)
class Results:
    """Where the run lies, and its two tables: one row per cell, one row per adapter."""

    path: Path
    breakdown: "pd.DataFrame"
    leaderboard: "pd.DataFrame"
    warnings: tuple[str, ...] = ()


def evaluate(
    config: RunConfig | None = None,
    *,
    tasks: Sequence[str | Task] | str | None = None,
    backend: Connect | None = None,
    **settings: Any,
) -> Results:
    """Run an evaluation, or resume it where `output_path` holds a part of it already.

    `settings` are the fields of RunConfig (the flags of `holdfast run`); `tasks` may hold Task objects beside names and
    files; `backend` replaces the registered backend's builder. Raises UserError for any mistake in the input, before
    anything is generated where it can be seen that early.
    """
    asked = list(tasks.split(",") if isinstance(tasks, str) else tasks or [])
    if config is None:
        names = [task.name if isinstance(task, Task) else task for task in asked]
        config = make_config({**settings, **({"tasks": names} if names else {})})
    loaded = load_tasks(asked or config.tasks)
    base = find_base(str(config.model_args.get("pretrained", "")))
    adapters = find_adapters(config.adapters, base)
    plan = make_plan(config, loaded, adapters)
    folder = Path(config.output_path)
    manifest = _manifest(config, loaded, base, adapters, plan)
    before = read_manifest(folder)
    if before is not None:
        check_same_run(before, manifest, folder)
        manifest = before
    if manifest.status != "complete":
        folder.mkdir(parents=True, exist_ok=True)
        _run(plan, adapters, manifest, folder, backend or backends.get(config.model))
    return Results(folder, *summarise(folder), tuple(manifest.warnings))


def load_tasks(asked: Sequence[str | Task]) -> list[Task]:
    """Load tasks and check that their metrics exist and their names differ; raises UserError."""
    tasks = [task if isinstance(task, Task) else load_task(task) for task in asked]
    for i, task in enumerate(tasks):
        if task.name in {other.name for other in tasks[:i]}:
            raise UserError(f"two tasks are called '{task.name}': name each once")
        headline_of(task)
        metrics_of(task, "pair")
    return tasks


def _run(plan: Plan, adapters: Sequence[Adapter], manifest: Manifest, folder: Path, connect: Connect) -> None:
    config = manifest.config
    started = time.perf_counter()
    encode = encoders.get(config.encoder)()
    engine = connect(_options(config, manifest), adapters)
    _probe(engine, plan, manifest)
    manifest.engine = dict(engine.describe())
    manifest.write(folder)
    manifest.timings["load_seconds"] = round(time.perf_counter() - started, 3)
    embeddings = folder / f"embeddings.{config.encoder}"
    with Samples(folder / SAMPLES) as samples, EmbeddingFile(embeddings, encode) as encoded:
        run = Running(engine, Scorer(encoded, config.granularity, config.spacy_pipeline), samples, config.log_samples)
        with progress_bar(len(plan), run.count()) as advance:
            run.ask(plan.clean, advance)
            run.copy_clean(plan.unchanged, advance)
            run.ask(plan.perturbed, advance)
    embeddings.unlink()
    manifest.timings |= {name: round(seconds, 3) for name, seconds in run.seconds.items()}
    manifest.status, manifest.finished = "complete", now()
    manifest.write(folder)


def _options(config: RunConfig, resumed: Manifest) -> BackendOptions:
    """What the engine is built with; a resumed run keeps the batch size that `auto` chose, and so its rounding."""
    size = resumed.engine.get("batch_size") if config.batch_size == "auto" else config.batch_size
    return BackendOptions(config.model_args, size, config.device)


def _probe(engine: Backend, plan: Plan, manifest: Manifest) -> None:
    prompts = list(dict.fromkeys(item.question.prompt for item in plan.clean[: 4 * PROBES]))[:PROBES]
    found = engine.probe(prompts)
    manifest.warnings = []
    for entry in manifest.adapters:
        if entry.name not in found:
            continue
        entry.has_effect = found[entry.name].has_effect
        if not entry.has_effect:
            message = f"adapter '{entry.name}' has no effect: it changes no logit of the base"
            manifest.warnings.append(message)
            warnings.warn(message, stacklevel=2)


def _manifest(
    config: RunConfig, tasks: Sequence[Task], base: Adapter, adapters: Sequence[Adapter], plan: Plan
) -> Manifest:
    entries = {}
    for task in tasks:
        headline, higher = headline_of(task)
        asked = len(task.samples[: config.limit])
        entries[task.name] = TaskEntry(headline=headline, higher_is_better=higher, samples=asked, digest=task.digest())
    return Manifest(
        config=config,
        base_digest=base.digest,
        adapters=[AdapterEntry(name=a.name, path=str(a.path) if a.path else None, digest=a.digest) for a in adapters],
        tasks=entries,
        engine={},
        versions=versions(),
        hardware=hardware(),
        generations=len(plan),
        started=now(),
    )
