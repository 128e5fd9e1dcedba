"""The main job: plan, generate, score, store, summarise."""

import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.attending import AttentionShifts
from holdfast.harness.backends import Adapter, Backend, backends
from holdfast.harness.backends.registry import find_files
from holdfast.harness.backends.types import BackendOptions
from holdfast.harness.checkpoints import BASE, scaled, warn_of_other_bases
from holdfast.harness.config import RunConfig, make_config
from holdfast.harness.distributed import on_ray
from holdfast.harness.embeddings import kept_embeddings
from holdfast.harness.encoding import MODEL, run_encoding
from holdfast.harness.judges import judges_on_ray
from holdfast.harness.manifest import (
    AdapterEntry,
    Manifest,
    TaskEntry,
    check_same_run,
    hardware,
    now,
    read_manifest,
)
from holdfast.harness.packs import packed_variants, with_pack
from holdfast.harness.paraphrasing import with_paraphrases
from holdfast.harness.plan import Plan, addressed, asker, make_plan
from holdfast.harness.progress import Advance, progress_bar
from holdfast.harness.records import SAMPLES, Samples, make_folder
from holdfast.harness.running import Running
from holdfast.harness.scoring import Scorer, headline_of, metrics_of
from holdfast.harness.search import Attempts, next_candidate
from holdfast.harness.summary import summarise
from holdfast.harness.validity import Validity, write_excluded
from holdfast.harness.variants import IDENTITY, Made, digest_of_variants, make_variants
from holdfast.harness.versions import FOR_RUNS, versions
from holdfast.metrics.encoders import check_encoders
from holdfast.metrics.parsing import parse
from holdfast.metrics.segments import segment
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
        manifest = _manifest(prepared)
        before = read_manifest(folder)
        if before is not None:
            check_same_run(before, manifest, folder)
            manifest = before
        if manifest.status != "complete" or samples.count() < manifest.generations:
            _run(prepared, manifest, samples, on_ray(config, backend or backends.get(config.model).build))
    return Results(folder, *summarise(folder), tuple(manifest.warnings))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration with everything it names found and checked; nothing is loaded yet."""

    config: RunConfig
    tasks: list[Task]
    base: Adapter
    adapters: list[Adapter]
    variants: list[Made]


def prepare(config: RunConfig, tasks: Sequence[str | Task] | None = None, *, check_backend: bool = True) -> Prepared:
    """Find and check what a run needs, short of loading its model; raises UserError for the first mistake."""
    if check_backend:
        backends.get(config.model).check(config.model_args)
    check_encoders(config.encoder)
    if config.distributed and MODEL in re.split(r"[,=]", config.encoder):
        raise UserError("--encoder model: replicas on Ray don't show their hidden states; name another encoder")
    segment([""], config.granularity)
    if config.spacy_pipeline:
        parse([""], config.spacy_pipeline)
    loaded = load_tasks(tasks or config.tasks)
    find = backends.get(config.model).find if check_backend else find_files
    base, adapters = find(config.model_args, config.adapters)
    if "pretrained" in config.model_args:
        warn_of_other_bases(adapters, base)
    adapters = scaled(adapters, config.adapter_scales)
    if config.pack is not None:
        return Prepared(config, loaded, base, adapters, packed_variants(Path(config.pack), loaded))
    loaded = with_paraphrases(loaded, config)
    return Prepared(config, loaded, base, adapters, list(make_variants(config, loaded)))


def load_tasks(asked: Sequence[str | Task]) -> list[Task]:
    """Load tasks; raises UserError unless their metrics exist and point the same way, their names differ and their
    prompts use the content."""
    tasks = [task if isinstance(task, Task) else load_task(task) for task in asked]
    for i, task in enumerate(tasks):
        if task.name in {other.name for other in tasks[:i]}:
            raise UserError(f"two tasks are called '{task.name}': name each once")
        metrics_of(task.metrics, "pair")
        if not re.search(r"{[{%][^}]*\bcontent\b", task.prompt):
            raise UserError(f"the prompt of task '{task.name}' does not use {{{{ content }}}}: nothing would be asked")
    directions = {task.name: headline_of(task)[1] for task in tasks}
    if len(set(directions.values())) > 1:
        down = next(name for name, higher in directions.items() if not higher)
        raise UserError(f"of task '{down}' lower scores are better, of others higher ones: run them apart")
    return tasks


def _run(prepared: Prepared, manifest: Manifest, samples: Samples, connect: Connect) -> None:
    config, folder = prepared.config, samples.folder
    started = time.perf_counter()
    engine = connect(_options(config, manifest), prepared.adapters)
    encoding = run_encoding(config, prepared.tasks, engine)
    with kept_embeddings(folder, encoding) as encoded:
        validity = Validity(config.min_meaning, prepared.tasks, encoded)
        kept, excluded = validity.divided(prepared.variants)
        write_excluded(folder, excluded, prepared.tasks)
        plan = make_plan(config, prepared.tasks, prepared.adapters, kept)
        _probe(engine, plan, manifest)
        _warn_of_empty_cells(manifest, kept, excluded)
        manifest.engine = dict(engine.describe())
        manifest.write(folder)
        loaded = time.perf_counter() - started
        headlines = {name: (task.headline, task.higher_is_better) for name, task in manifest.tasks.items()}
        attempts = Attempts(headlines) if config.search_method == "greedy" else None
        scorer = judges_on_ray(config, Scorer(encoded, config.granularity, config.spacy_pipeline))
        shifts = _attention_shifts(engine, config) if config.attention else None
        run = Running(engine, scorer.score, samples, config.log_samples, attempts, shifts)
        with progress_bar(len(plan), run.count()) as advance:
            run.ask(plan.clean, advance)
            run.copy_clean(plan.unchanged, advance)
            run.ask(plan.perturbed, advance)
            if attempts:
                _search(prepared, attempts, validity, run, advance)
    for task, count in run.truncated.items():
        if count:
            _warn(manifest, f"task '{task}': {count} prompts were longer than the model holds and lost their beginning")
    manifest.timings = {"load_seconds": round(loaded, 3)} | {name: round(took, 3) for name, took in run.seconds.items()}
    manifest.generations = run.count()
    manifest.status, manifest.finished = "complete", now()
    manifest.write(folder)


def _attention_shifts(engine: Any, config: RunConfig) -> AttentionShifts:
    if not hasattr(engine, "attention"):
        raise UserError(f"--attention: the backend '{config.model}' does not show its attention; use --model hf")
    return AttentionShifts(engine, config.granularity, config.spacy_pipeline)


def _search(prepared: Prepared, attempts: Attempts, validity: Validity, run: Running, advance: Advance) -> None:
    """Round after round, ask every adapter one changed version of what has hurt it most, sample by sample."""
    config = prepared.config
    ask = asker(config, prepared.tasks)
    adapters = {adapter.name: adapter for adapter in prepared.adapters}
    samples = {(task.name, sample.id): (task, sample) for task in prepared.tasks for sample in task.samples}
    for repeat in range(config.repeats, config.search_budget):
        found = [
            (place[0], next_candidate(*samples[place[1:3]], place, worst, repeat, config.seed))
            for place, worst in attempts.worst_before(repeat)
        ]
        candidates = [(name, made) for name, made in found if made]
        judged = validity.judged([made for _, made in candidates])
        items = [
            item
            for (name, _), made in zip(candidates, judged, strict=True)
            if validity.keeps_meaning(made)
            for item in addressed([ask(made)], [adapters[name]])
        ]
        run.ask(items, advance)


def _options(config: RunConfig, resumed: Manifest) -> BackendOptions:
    """What the engine is built with; a resumed run keeps the batch size that `auto` chose, and so its rounding."""
    size = resumed.engine.get("batch_size") if config.batch_size == "auto" else config.batch_size
    return BackendOptions(config.model_args, size, config.device, config.max_requests)


def _probe(engine: Backend, plan: Plan, manifest: Manifest) -> None:
    prompts = list(dict.fromkeys(item.question.prompt for item in plan.clean[: 4 * PROBES]))[:PROBES]
    found = engine.probe(prompts)
    manifest.warnings = []
    for entry in manifest.adapters:
        if entry.name not in found:
            if entry.name != BASE:
                _warn(manifest, f"whether adapter '{entry.name}' acts is not known: the engine shows no probabilities")
            continue
        entry.has_effect = found[entry.name].has_effect
        if not entry.has_effect and entry.scale:
            _warn(manifest, f"adapter '{entry.name}' has no effect: it changes no logit of the base")


def _warn_of_empty_cells(manifest: Manifest, kept: Sequence[Made], excluded: Sequence[Made]) -> None:
    asked, left_out = {made.cell for made in kept}, {made.cell for made in excluded}
    edited = {made.cell for made in kept if made.variant.edits or made.variant.perturbation == IDENTITY}
    for cell in sorted((asked | left_out) - edited):
        if cell not in left_out:
            found = "it found nothing to change in any prompt: that nothing moves is no finding"
        elif cell not in asked:
            found = "no variant keeps its prompt's meaning; none is asked"
        else:
            found = "no variant that was edited keeps its prompt's meaning; only unchanged prompts are asked"
        _warn(manifest, f"{cell[0]}/{cell[1]}@{cell[2]}: {found}")


def _warn(manifest: Manifest, message: str) -> None:
    """Say it now, and keep it with the run."""
    manifest.warnings.append(message)
    warnings.warn(message, stacklevel=3)


def _manifest(prepared: Prepared) -> Manifest:
    entries = {}
    for task in prepared.tasks:
        headline, higher = headline_of(task)
        asked = len(task.samples[: prepared.config.limit])
        entries[task.name] = TaskEntry(headline=headline, higher_is_better=higher, samples=asked, digest=task.digest())
    return Manifest(
        config=prepared.config,
        base_digest=prepared.base.digest,
        adapters=[
            AdapterEntry(
                name=adapter.name,
                path=str(adapter.path) if adapter.path else adapter.served or None,
                digest=adapter.digest,
                scale=adapter.scale,
            )
            for adapter in prepared.adapters
        ],
        tasks=entries,
        engine={},
        versions=versions(FOR_RUNS),
        hardware=hardware(),
        variants=digest_of_variants(prepared.variants),
        generations=0,
        started=now(),
    )
