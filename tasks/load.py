"""Loads a task by its registered name, from a JSONL file of prompts, or from a YAML description."""

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.tasks.files import read_samples
from holdfast.tasks.task import Task, tasks
from holdfast.tasks.yaml_task import read_yaml_task

DEFAULT_WITH_CHOICES = ("exact_match",)
"""Metrics of a JSONL task with references and choices."""

DEFAULT_WITH_REFERENCES = ("token_f1", "exact_match", "rouge")
"""Metrics of a JSONL task with references."""

DEFAULT_WITHOUT_REFERENCES = ("answer_rate",)
"""Metrics of a JSONL task without references, which is judged by drift."""


def load_task(name: str) -> Task:
    """Load a task.

    Args:
        name: A registered name, a `.jsonl` file of samples or a `.yaml` description.

    Raises:
        UserError: If the name is unknown, or the file is missing or invalid.
    """
    path = expanded(name)
    if path.suffix in {".yaml", ".yml"}:
        return read_yaml_task(path)
    if path.suffix == ".jsonl":
        samples = read_samples(path)
        if not samples[0].references:
            return Task(path.stem, samples, DEFAULT_WITHOUT_REFERENCES)
        return Task(path.stem, samples, DEFAULT_WITH_CHOICES if samples[0].choices else DEFAULT_WITH_REFERENCES)
    if path.exists() or len(path.parts) > 1:
        raise UserError(
            f"'{name}' is not a task file: use .jsonl (one sample per line) or .yaml (a task that maps other fields)"
        )
    return tasks.get(name)()
