"""From a configuration to everything a run needs, found and checked, before any model is loaded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import find_files
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import scale_adapters, warn_about_base_mismatch
from holdfast.harness.plan.packs import packed_variants
from holdfast.harness.plan.paraphrasing import with_paraphrases
from holdfast.harness.plan.sample_variants import SampleVariant, digest_of_variants, make_variants
from holdfast.harness.plan.task_metrics import headline_of, metrics_of
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.manifest import (
    AdapterEntry,
    Manifest,
    TaskEntry,
    hardware,
    now,
)
from holdfast.harness.store.versions import FOR_RUNS, versions
from holdfast.metrics.encoders.encoder import check_encoders
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.metrics.parsing import parse
from holdfast.metrics.segments import segment
from holdfast.tasks import Task, load_task


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration with everything it names found and checked; nothing is loaded yet."""

    config: RunConfig
    tasks: list[Task]
    base: Adapter
    adapters: list[Adapter]
    variants: list[SampleVariant]


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
        warn_about_base_mismatch(adapters, base)
    adapters = scale_adapters(adapters, config.adapter_scales)
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


def new_manifest(prepared: Prepared) -> Manifest:
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
