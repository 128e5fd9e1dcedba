"""The `Sample` and `Task` records, and the registry of tasks."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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


tasks: Registry[Callable[[], Task]] = Registry("tasks", "holdfast.tasks")


def task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register the decorated function, which builds a task, under `name`.

    `holdfast ls tasks` shows the first line of its docstring.
    """

    def register(build: Callable[[], Task]) -> Callable[[], Task]:
        tasks.register(name, build)
        return build

    return register
