"""`holdfast validate`: check a configuration as far as possible without loading a model."""

from pathlib import Path

from holdfast.harness.plan.packs import apply_pack
from holdfast.harness.plan.plan import make_plan, requests_for
from holdfast.harness.plan.preparation import prepare
from holdfast.harness.store.config import CONFIG_FILE, make_config
from holdfast.metrics.comparers.segment_comparer import comparer_of
from holdfast.metrics.encoders.encoder import encoding_of, load_encoder
from holdfast.metrics.encoders.lexical import lexical
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.tasks import Task, limited
from holdfast.tasks.groups import count_groups
from holdfast.tasks.limited import strata_of
from holdfast.yaml_file import read_yaml


def validate(path: Path) -> list[str]:
    """Return a description of the run in a YAML file, line by line.

    Names, files, task data, adapters and the encoder are checked; no model is loaded.

    Raises:
        UserError: For the first mistake.
    """
    config = apply_pack(make_config(read_yaml(path, CONFIG_FILE)))
    prepared = prepare(config.model_copy(update={"paraphraser": None}))
    encoding_of(config.encoder, lambda name: lexical() if name == MODEL else load_encoder(name))
    comparer_of(config.comparer)
    plan = make_plan(config, prepared.tasks, prepared.adapters, prepared.variants)
    distinct = len(requests_for(plan.clean)) + len(requests_for(plan.perturbed))
    return [
        f"{path}: valid",
        f"adapters: {', '.join(adapter.name for adapter in prepared.adapters)}",
        *(_described(task, config.limit) for task in prepared.tasks),
        f"at most {len(plan)} answers to score, {distinct} to generate "
        f"({len(plan.unchanged)} prompts unchanged by their perturbation)",
    ]


def _described(task: Task, limit: int | None) -> str:
    """Return the number of a task's samples, how they were chosen, and their groups."""
    kept = limited(task, limit)
    chosen = f" of {len(task.samples)}" if len(kept) < len(task.samples) else ""
    strata = strata_of(task) if chosen else []
    how = f", in proportion to {' and '.join(strata)}" if strata else ""
    groups = ", ".join(f"{label} {count}" for label, count in count_groups(kept).items())
    return f"task {task.name}: {len(kept)}{chosen} samples{how}" + (f" ({groups})" if groups else "")
