"""`holdfast validate`: check a configuration as far as possible without loading a model."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import printable
from holdfast.harness.plan.packs import apply_pack
from holdfast.harness.plan.plan import Item, Plan, make_plan, requests_for
from holdfast.harness.plan.preparation import prepare
from holdfast.harness.results.shortening import shorten
from holdfast.harness.store.config import CONFIG_FILE, make_config
from holdfast.metrics.comparers.segment_comparer import comparer_of
from holdfast.metrics.encoders.encoder import encoding_of, load_encoder
from holdfast.metrics.encoders.lexical import lexical
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.paths import expanded
from holdfast.tasks import Task, limited
from holdfast.tasks.groups import count_groups
from holdfast.tasks.limited import strata_of
from holdfast.tasks.task_labels import LABEL_METRIC
from holdfast.yaml_file import read_yaml

_PROMPTS = 3
"""Number of prompts of each task that are shown."""

_PLANNED = 1_000
"""Number of samples of each task whose variants are made; of all of them, a large file would take minutes."""

_LONGEST = 2_000
"""Characters of a prompt that are shown."""


def is_configuration(name: str) -> bool:
    """Return whether a name is that of a configuration file, rather than of a task."""
    path = expanded(name)
    return path.suffix in (".yaml", ".yml") and not {"dataset_path", "task"} & {*read_yaml(path, CONFIG_FILE)}


def validate(path: Path | None, settings: Mapping[str, Any] | None = None) -> list[str]:
    """Return a description of the run that a YAML file and settings describe, line by line.

    Names, files, all task data, adapters and the encoder are checked; no model is loaded. Of large tasks, only some
    samples are perturbed, from which the size of the run is estimated.

    Args:
        path: The configuration file, if there is one.
        settings: Settings that override the file's.

    Raises:
        UserError: For the first mistake; all mistakes of a data file are reported together.
    """
    config = apply_pack(make_config({**(read_yaml(path, CONFIG_FILE) if path else {}), **(settings or {})}))
    most = config.limit if config.pack else min(config.limit or _PLANNED, _PLANNED)  # a pack's variants are made
    planned = config.model_copy(update={"paraphraser": None, "limit": most})
    prepared = prepare(planned)
    encoding_of(config.encoder, lambda name: lexical() if name == MODEL else load_encoder(name))
    comparer_of(config.comparer)
    plan = make_plan(planned, prepared.tasks, prepared.adapters, prepared.variants)
    kept = {task.name: len(limited(task, config.limit)) for task in prepared.tasks}
    made = {task.name: len(limited(task, planned.limit)) for task in prepared.tasks}
    return [
        f"{path or ', '.join(config.tasks)}: valid",
        f"adapters: {', '.join(adapter.name for adapter in prepared.adapters)}",
        *(line for task in prepared.tasks for line in (_described(task, config.limit), *_prompts(task, config.limit))),
        _size(plan, {name: kept[name] / made[name] for name in kept}),
    ]


def _size(plan: Plan, times: Mapping[str, float]) -> str:
    """Return how many answers a run scores and how many it generates.

    Args:
        plan: The plan for some or all samples.
        times: For each task, the ratio of the run's samples to the plan's.
    """

    def count(items: Iterable[Item]) -> int:
        return round(sum(times[item.question.task.name] for item in items))

    distinct = [items[0] for part in (plan.clean, plan.perturbed) for items in requests_for(part).values()]
    estimated = f", estimated from {_PLANNED} samples of a task" if max(times.values()) > 1 else ""
    return (
        f"at most {count([*plan.clean, *plan.unchanged, *plan.perturbed])} answers to score, {count(distinct)} to "
        f"generate ({count(plan.unchanged)} prompts unchanged by their perturbation){estimated}"
    )


def _prompts(task: Task, limit: int | None) -> Iterator[str]:
    """Yield the first prompts of a task as they are rendered, with what is expected of their answers."""
    for sample in limited(task, limit)[:_PROMPTS]:
        yield f"  --- {printable(sample.id)}"
        text = printable(shorten(task.render(sample, sample.content), _LONGEST), keep="\n")
        yield from (f"  {line}" for line in text.split("\n"))
        if sample.choices:
            yield f"  choices: {printable(' | '.join(sample.choices))}"
        if sample.references:
            yield f"  references: {printable(shorten(' | '.join(sample.references), _LONGEST))}"


def _described(task: Task, limit: int | None) -> str:
    """Return the number of a task's samples, how they were chosen, and their groups and labels.

    A label that is misspelt in the data is a class of its own, which its count shows.
    """
    kept = limited(task, limit)
    chosen = f" of {len(task.samples)}" if len(kept) < len(task.samples) else ""
    strata = strata_of(task) if chosen else []
    how = f", in proportion to {' and '.join(strata)}" if strata else ""
    groups = _counted(count_groups(kept))
    line = f"task {task.name}: {len(kept)}{chosen} samples{how}" + (f" ({groups})" if groups else "")
    if LABEL_METRIC not in task.metrics:
        return line
    return f"{line}; labels: {_counted(Counter(each for sample in kept for each in sample.references))}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{printable(name)} {count}" for name, count in counts.items())
