"""A sample is one thing that a user would type; a task is a list of them and how they are asked and judged."""

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

    `content` is the part that a user would type, and the only part that is ever perturbed. `id` is stable and unique
    within its task. `metadata` may hold anything that metrics, the prompt template or perturbations read; three keys
    have a meaning everywhere: `paraphrases` (other wordings of the content, by hand), `protect` (strings that no
    perturbation may touch) and `language` (an ISO 639 code). Where there are `choices`, nothing is generated: the one
    that the model finds likeliest is its answer.
    """

    id: str
    content: str
    references: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """Samples, and how they are asked and judged.

    `prompt` is a Jinja2 template over `content` and the sample's metadata; the model's chat template, if any, is put
    around its result. `metrics` are names from `holdfast ls metrics`; the first is the task's headline score. Greedy
    decoding; an answer ends at the end-of-sequence token, at one of the `stop` strings or after `max_new_tokens`.
    """

    name: str
    samples: tuple[Sample, ...]
    metrics: tuple[str, ...]
    prompt: str = "{{ content }}"
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()

    def render(self, sample: Sample, content: str) -> str:
        """The prompt for a sample whose content may have been perturbed.

        Raises UserError where the template is broken or names something that the sample does not have.

        >>> task = Task("qa", (), (), prompt="Q: {{ content }} ({{ topic }})")
        >>> task.render(Sample("1", "Why?", metadata={"topic": "science"}), "Wyh?")
        'Q: Wyh? (science)'
        """
        where = f"the prompt of task '{self.name}', sample '{sample.id}'"
        return render(self.prompt, {**sample.metadata, "content": content}, where)

    def digest(self) -> str:
        """SHA-256 of all that the task says: equal digests ask and judge the same."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


tasks: Registry[Callable[[], Task]] = Registry("tasks", "holdfast.tasks")


def task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register a suite under `name`; its docstring's first line is what `holdfast ls tasks` shows."""

    def register(build: Callable[[], Task]) -> Callable[[], Task]:
        tasks.register(name, build)
        return build

    return register
