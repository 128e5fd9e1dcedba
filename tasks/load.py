"""A task by registered name, from a file of prompts (.jsonl), or from a small YAML description of one."""

from pathlib import Path

from holdfast.errors import UserError
from holdfast.tasks.files import read_samples
from holdfast.tasks.task import Task, tasks
from holdfast.tasks.yaml_task import read_yaml_task

CHOSEN = ("exact_match",)
"""The metric of a plain file of prompts with references and choices."""

JUDGED = ("token_f1", "exact_match", "rouge")
"""Metrics of a plain file of prompts with references."""

UNJUDGED = ("answer_rate",)
"""Metrics of prompts without references: their drift is what matters."""


def load_task(name: str) -> Task:
    """The task called `name`, or the one that the file `name` holds.

    Raises UserError for an unknown name, a missing file and everything wrong inside it, with the line.
    """
    path = Path(name).expanduser()
    if path.suffix in {".yaml", ".yml"}:
        return read_yaml_task(path)
    if path.suffix == ".jsonl":
        samples = read_samples(path)
        if not samples[0].references:
            return Task(path.stem, samples, UNJUDGED)
        return Task(path.stem, samples, CHOSEN if samples[0].choices else JUDGED)
    if path.exists() or len(path.parts) > 1:
        raise UserError(
            f"'{name}' is not a task file: use .jsonl (one sample a line) or .yaml (a task that maps other fields)"
        )
    return tasks.get(name)()
