"""The `Sample` and `Task` records, and the registry of tasks."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from holdfast.errors import UserError
from holdfast.registry import Registry
from holdfast.tasks.templates import render


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task.

    Attributes:
        id: A stable id, unique within the task.
        content: What a user would type; the only part that is ever perturbed.
        references: Accepted answers.
        metadata: Anything that metrics, the prompt template or perturbations read. Three keys are reserved:
            `paraphrases` (alternative wordings of the content), `protect` (strings that no perturbation may change) and
            `language` (an ISO 639 code).
        choices: The options of a multiple-choice question. If there are any, nothing is generated: the model's answer
            is the option with the highest likelihood.
    """

    id: str
    content: str
    references: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"sample {self.id!r}"
        if not isinstance(self.id, str) or not isinstance(self.content, str):
            raise UserError(f"{where}: id and content must be strings")
        for name in ("references", "choices"):
            object.__setattr__(
                self, name, _strings(getattr(self, name), f"{where}: {name}", single=name == "references")
            )


@dataclass(frozen=True, slots=True)
class Task:
    """Samples, with the prompt, the generation settings and the metrics.

    Decoding is greedy; an answer ends at the end-of-sequence token, at a stop string or after `max_new_tokens`.

    Attributes:
        name: Name of the task.
        samples: The samples.
        metrics: Names of metrics (`holdfast ls metrics`); the first is the task's headline score.
        prompt: A Jinja2 template over `content` and the sample's metadata. The model's chat template, if it has one, is
            applied to the result.
        max_new_tokens: Maximum length of an answer in tokens.
        stop: Strings that end an answer.
    """

    name: str
    samples: tuple[Sample, ...]
    metrics: tuple[str, ...]
    prompt: str = "{{ content }}"
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"task {self.name!r}"
        if not isinstance(self.samples, (list, tuple)) or not all(isinstance(each, Sample) for each in self.samples):
            raise UserError(f"{where}: samples must be a list of Sample objects")
        if isinstance(self.max_new_tokens, bool) or not isinstance(self.max_new_tokens, int) or self.max_new_tokens < 1:
            raise UserError(f"{where}: max_new_tokens must be a whole number >= 1, got {self.max_new_tokens!r}")
        object.__setattr__(self, "samples", tuple(self.samples))
        object.__setattr__(self, "metrics", _strings(self.metrics, f"{where}: metrics", single=True))
        object.__setattr__(self, "stop", _strings(self.stop, f"{where}: stop", single=True))

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
        where = f"prompt of task '{self.name}', sample '{sample.id}'"
        return render(self.prompt, {**sample.metadata, "content": content}, where)

    def digest(self) -> str:
        """Return the SHA-256 of the task's contents; tasks with equal digests are identical."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


def _strings(values: object, where: str, *, single: bool) -> tuple[str, ...]:
    """Strings as a tuple; a `single` one may stand for itself."""
    if single and isinstance(values, str):
        return (values,)
    if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) for each in values):
        raise UserError(f"{where} must be a list of strings, got {values!r}")
    return tuple(values)


tasks: Registry[Callable[[], Task]] = Registry("tasks", "holdfast.tasks")


def task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register the decorated function, which builds a task, under `name`.

    `holdfast ls tasks` shows the first line of its docstring.
    """

    def register(build: Callable[[], Task]) -> Callable[[], Task]:
        tasks.register(name, build)
        return build

    return register
