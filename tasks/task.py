"""The `Task` record, and the registry of tasks."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from holdfast.errors import UserError
from holdfast.registry import Registry
from holdfast.tasks.groups import check_groups
from holdfast.tasks.output_filters import OutputFilter
from holdfast.tasks.sample import Sample, strings
from holdfast.tasks.task_labels import LABEL_METRIC, with_labels
from holdfast.tasks.templates import render

CONTENT = "{{ content }}"
"""The template of a prompt that is the content alone."""


@dataclass(frozen=True, slots=True)
class Task:
    """Samples, with the prompt, the generation settings and the metrics.

    Decoding is greedy; an answer ends at the end-of-sequence token, at a stop string or after `max_new_tokens`.

    Attributes:
        name: Name of the task.
        samples: The samples. With `label_accuracy`, each gets its `labels` as metadata, unless it has its own: its
            choices, or the references of all samples.
        metrics: Names of metrics (`holdfast ls metrics`); the first is the task's headline score.
        prompt: A Jinja2 template over `content` and the sample's metadata, or a function of the sample and the content.
            The model's chat template, if it has one, is applied to the result.
        max_new_tokens: Maximum length of an answer in tokens.
        stop: Strings that end an answer.
        filters: What is done to an answer before it is compared with references; drifts are those of whole answers.
        rubric: What the metric `judge` asks a judge model to grade.
        joined: Whether choices follow the prompt as they are; otherwise a space is put between if there is none.
    """

    name: str
    samples: tuple[Sample, ...]
    metrics: tuple[str, ...]
    prompt: str | Callable[[Sample, str], str] = CONTENT
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    filters: tuple[OutputFilter, ...] = ()
    rubric: str = ""
    joined: bool = False

    def __post_init__(self) -> None:
        where = f"task {self.name!r}"
        if not isinstance(self.samples, (list, tuple)) or not all(isinstance(each, Sample) for each in self.samples):
            raise UserError(f"{where}: samples must be a list of Sample objects")
        if isinstance(self.max_new_tokens, bool) or not isinstance(self.max_new_tokens, int) or self.max_new_tokens < 1:
            raise UserError(f"{where}: max_new_tokens must be a whole number >= 1, got {self.max_new_tokens!r}")
        object.__setattr__(self, "samples", tuple(self.samples))
        object.__setattr__(self, "metrics", strings(self.metrics, f"{where}: metrics", single=True))
        object.__setattr__(self, "stop", strings(self.stop, f"{where}: stop", single=True))
        if "" in self.stop:
            raise UserError(f"{where}: a stop string must have at least one character: an empty one ends every answer")
        check_groups(self.samples, where)
        if LABEL_METRIC in self.metrics:
            object.__setattr__(self, "samples", with_labels(self.samples, where))

    def render(self, sample: Sample, content: str) -> str:
        """Return the prompt for a sample.

        Args:
            sample: The sample.
            content: Its content, possibly perturbed.

        Raises:
            UserError: If the template is invalid or uses a name that the sample doesn't have.

        >>> task = Task("qa", (), (), prompt="Q: {{ content }} ({{ topic }})")
        >>> task.render(Sample("1", "Why?", metadata={"topic": "science"}), "Wyh?")
        'Q: Wyh? (science)'
        """
        if callable(self.prompt):
            return self.prompt(sample, content)
        where = f"prompt of task '{self.name}', sample '{sample.id}'"
        return render(self.prompt, {**sample.metadata, "content": content}, where)

    def digest(self) -> str:
        """Return the SHA-256 of the task's contents; tasks with equal digests are identical."""
        content = asdict(replace(self, prompt=CONTENT) if callable(self.prompt) else self)
        if callable(self.prompt):  # what it returns says what it is
            content["prompt"] = [self.prompt(sample, sample.content) for sample in self.samples]
        if not self.filters:  # as before there were any
            del content["filters"]
        for name in ("rubric", "joined"):
            if not content[name]:
                del content[name]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def judged(self, output: str) -> str:
        """Return an answer as it is compared with references, after the filters."""
        for each in self.filters:
            output = each.apply(output)
        return output


tasks: Registry[Callable[[], Task]] = Registry("tasks", "holdfast.tasks")


def task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register the decorated function, which builds a task, under `name`.

    `holdfast ls tasks` shows the first line of its docstring.
    """

    def register(build: Callable[[], Task]) -> Callable[[], Task]:
        tasks.register(name, build)
        return build

    return register
