"""Checking a configuration without running it: everything that can be seen before a model is loaded."""

from pathlib import Path

from holdfast.harness.backends import backends
from holdfast.harness.checkpoints import find_adapters, find_base
from holdfast.harness.config import make_config, read_config
from holdfast.harness.evaluation import load_tasks
from holdfast.harness.plan import make_plan, requests_for
from holdfast.metrics.encoders import encoders


def validate(path: Path) -> list[str]:
    """What the run in a YAML file would do, line by line; raises UserError for the first mistake in it.

    Names, files, task data, adapters and the encoder are checked; no model is loaded.
    """
    config = make_config(read_config(path))
    backends.get(config.model)
    encoders.get(config.encoder)()
    tasks = load_tasks(config.tasks)
    adapters = find_adapters(config.adapters, find_base(str(config.model_args.get("pretrained", ""))))
    plan = make_plan(config, tasks, adapters)
    distinct = len(requests_for(plan.clean)) + len(requests_for(plan.perturbed))
    return [
        f"{path}: valid",
        f"adapters: {', '.join(adapter.name for adapter in adapters)}",
        *(f"task {task.name}: {len(task.samples[: config.limit])} samples" for task in tasks),
        f"{len(plan)} answers to score, {distinct} to generate ({len(plan.unchanged)} prompts left as they were)",
    ]
