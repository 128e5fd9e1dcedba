"""Find and check everything that a configuration names, before any model is loaded."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import find_files
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import digest_of_prompting, scale_adapters, warn_about_base_mismatch
from holdfast.harness.models.devices import check_device
from holdfast.harness.plan.adapter_choice import choose_adapters
from holdfast.harness.plan.faithful_tasks import with_faithfulness
from holdfast.harness.plan.fluency import check_fluency
from holdfast.harness.plan.inputs import digest_inputs
from holdfast.harness.plan.judges.judged_tasks import with_judge
from holdfast.harness.plan.label_choices import with_label_choices
from holdfast.harness.plan.lm_eval.lm_eval_tasks import check_templates, lm_eval_tasks
from holdfast.harness.plan.mitigations import with_mitigations
from holdfast.harness.plan.model_judge import FLAG, JUDGE
from holdfast.harness.plan.packs import read_variants
from holdfast.harness.plan.paraphrasing import add_paraphrases
from holdfast.harness.plan.sample_variants import SampleVariant, digest_of_variants, make_variants
from holdfast.harness.plan.task_metrics import headline_of, metrics_of
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.manifest import (
    AdapterEntry,
    Manifest,
    TaskEntry,
    hardware,
    timestamp,
)
from holdfast.harness.store.versions import FOR_RUNS, versions
from holdfast.metrics.comparers.segment_comparer import check_comparer, split_spec
from holdfast.metrics.encoders.encoder import check_encoders
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.metrics.parsing import check_installed, parse
from holdfast.metrics.segments import segment
from holdfast.tasks import Task, limited, load_task
from holdfast.tasks.data_files.field_map import FieldMap
from holdfast.tasks.groups import count_groups
from holdfast.tasks.load import is_own_data


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A configuration with the tasks, adapters and variants that it names; no model is loaded yet."""

    config: RunConfig
    tasks: list[Task]
    base: Adapter
    adapters: list[Adapter]
    variants: list[SampleVariant]
    left_out: list[str]
    """Why adapters that were asked for are not part of the run."""


def prepare(config: RunConfig, tasks: Sequence[str | Task] | None = None, *, check_backend: bool = True) -> PreparedRun:
    """Find and check everything a run needs, without loading its model.

    Args:
        config: The configuration.
        tasks: Tasks, or their names, to use instead of the configuration's.
        check_backend: Also check `model` and `model_args`; off if the caller brings its own backend.

    Raises:
        UserError: For the first mistake.
    """
    if check_backend:
        backends.get(config.model).check(config.model_args)
    check_device(config.device)
    check_encoders(config.encoder)
    check_comparer(config.comparer)
    if config.fluency:
        check_fluency(config.fluency)
    if config.distributed and split_spec(config.comparer)[0] == JUDGE:
        raise UserError(f"{FLAG}: processes on Ray can't share its cache; use nli=NAME_OR_PATH or facts")
    if config.distributed and MODEL in re.split(r"[,=]", config.encoder):
        raise UserError("--encoder model: replicas on Ray don't return hidden states; choose another encoder")
    if config.spacy_pipeline:
        check_installed(config.spacy_pipeline)
        parse([""], config.spacy_pipeline)
    segment([""], config.granularity)
    check_templates(config, tasks or config.tasks)
    loaded = load_tasks(tasks or config.tasks, config)
    find = backends.get(config.model).find if check_backend else find_files
    base, adapters, left_out = choose_adapters(config, find)
    loaded = with_judge(with_label_choices(loaded, config, adapters), config.judge)
    loaded = with_faithfulness(loaded, config.faithfulness)
    if "pretrained" in config.model_args:
        warn_about_base_mismatch(adapters, base)
    adapters = with_mitigations(scale_adapters(adapters, config.adapter_scales), config.mitigations)
    if config.pack is not None:
        return PreparedRun(config, loaded, base, adapters, read_variants(Path(config.pack), loaded), left_out)
    loaded = add_paraphrases(loaded, config)
    return PreparedRun(config, loaded, base, adapters, list(make_variants(config, loaded)), left_out)


def load_tasks(asked: Sequence[str | Task], config: RunConfig | None = None) -> list[Task]:
    """Load tasks, and check that they can be run together.

    Args:
        asked: The tasks, or what names them.
        config: The names of the fields in data files and data sets, and how tasks of lm-eval are asked.

    Raises:
        UserError: If a task or metric doesn't exist, two tasks have the same name, a prompt doesn't use the content,
            or higher scores are better in some tasks and lower ones in others.
    """
    for task in asked:
        if not isinstance(task, (str, Task)):
            raise UserError(f"tasks must be names, files or Task objects, got {type(task).__name__}")
    fields = config.field_map if config else FieldMap()
    if fields.given and not any(isinstance(task, str) and is_own_data(task) for task in asked):
        raise UserError(
            f"--{fields.given[0]} is about data files, and none of --tasks is one: omit it (a YAML task has doc_to_... "
            "keys of its own)"
        )
    several = lm_eval_tasks(asked, config)
    tasks = [task if isinstance(task, Task) else load_task(task, fields) for task in several]
    for i, task in enumerate(tasks):
        if task.name in {other.name for other in tasks[:i]}:
            raise UserError(f"two tasks are called '{task.name}': list each task once, or rename a file")
        counts = Counter(sample.id for sample in task.samples)
        if not counts:
            raise UserError(f"task '{task.name}' has no samples")
        [(most_common, count)] = counts.most_common(1)
        if count > 1:
            raise UserError(f"task '{task.name}' has {count} samples with the id '{most_common}': ids must be unique")
        metrics_of(task.metrics, "pair")
        if isinstance(task.prompt, str) and not re.search(r"{[{%][^}]*\bcontent\b", task.prompt):
            raise UserError(
                f"the prompt of task '{task.name}' does not use {{{{ content }}}}: add it where the sample's text goes"
            )
    directions = {task.name: headline_of(task)[1] for task in tasks}
    if len(set(directions.values())) > 1:
        down = next(name for name, higher in directions.items() if not higher)
        raise UserError(f"lower scores are better in task '{down}', but higher ones in others: run them separately")
    return tasks


def new_manifest(prepared: PreparedRun) -> Manifest:
    """Return the manifest of a run that is about to start."""
    entries = {}
    for task in prepared.tasks:
        headline, higher = headline_of(task)
        samples = limited(task, prepared.config.limit)
        entries[task.name] = TaskEntry(
            headline=headline,
            higher_is_better=higher,
            scores={
                key: up for each in metrics_of(task.metrics, "sample") for key, up in each.higher_is_better.items()
            },
            samples=len(samples),
            groups=count_groups(samples),
            digest=task.digest(),
        )
    return Manifest(
        config=prepared.config,
        directory=os.getcwd(),
        base_digest=prepared.base.digest,
        prompting_digest=digest_of_prompting(prepared.config.model_args),
        inputs=digest_inputs(prepared.config),
        adapters=[
            AdapterEntry(
                name=adapter.name,
                path=str(adapter.path) if adapter.path else adapter.served or None,
                digest=adapter.digest,
                scale=adapter.scale,
                mitigation=adapter.mitigation,
            )
            for adapter in prepared.adapters
        ],
        tasks=entries,
        engine={},
        versions=versions(FOR_RUNS),
        hardware=hardware(),
        variants=digest_of_variants(prepared.variants),
        generations=0,
        started=timestamp(),
        warnings=list(prepared.left_out),
    )
