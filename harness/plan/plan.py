"""Everything a run will ask: each sample, clean and under every perturbation, for each adapter."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.harness.backends.backend import Request, Settings
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.plan.sample_variants import IDENTITY, SampleVariant, cells_of, variant_of
from holdfast.harness.store.config import RunConfig
from holdfast.perturbations import Variant, clean_variant
from holdfast.tasks import Sample, Task


@dataclass(frozen=True, slots=True)
class Question:
    """One variant of one sample, rendered: what every adapter is asked."""

    task: Task
    sample: Sample
    variant: Variant
    meaning: float | None
    prompt: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Item:
    """One question for one adapter: one line of samples.jsonl."""

    key: str
    adapter: Adapter
    question: Question

    @property
    def clean_key(self) -> tuple[str, str, str]:
        """What a clean answer and its perturbed ones have in common."""
        return self.adapter.name, self.question.task.name, self.question.sample.id


@dataclass(frozen=True, slots=True)
class Plan:
    """All items: the clean ones, which come first, since every other answer is compared with one of them; those whose
    prompt the perturbation found nothing to change in; and the rest."""

    clean: tuple[Item, ...]
    unchanged: tuple[Item, ...]
    perturbed: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.clean) + len(self.unchanged) + len(self.perturbed)


def make_plan(
    config: RunConfig, tasks: Sequence[Task], adapters: Sequence[Adapter], variants: Iterable[SampleVariant]
) -> Plan:
    """Ask every adapter each sample as it is, once more (the noise floor), and under each of `variants`."""
    ask = asker(config, tasks)
    samples = [(task, sample) for task in tasks for sample in task.samples[: config.limit]]
    clean = [ask(SampleVariant(task.name, sample.id, clean_variant(sample.content))) for task, sample in samples]
    same, severity = cells_of(config)[0]
    again = [
        ask(SampleVariant(task.name, sample.id, variant_of(task, sample, same, severity, 0, config.seed)))
        for task, sample in samples
    ]
    asked = [ask(made) for made in variants]
    unchanged = [question for question in asked if not question.variant.edits]
    perturbed = again + [question for question in asked if question.variant.edits]
    return Plan(*(tuple(addressed(questions, adapters)) for questions in (clean, unchanged, perturbed)))


def asker(config: RunConfig, tasks: Sequence[Task]) -> Callable[[SampleVariant], Question]:
    """What makes a question of a variant: its task's prompt around it, and the generation settings."""
    samples = {(task.name, sample.id): sample for task in tasks for sample in task.samples}
    by_name = {task.name: task for task in tasks}
    settings = {task.name: settings_for(task, config) for task in tasks}

    def ask(made: SampleVariant) -> Question:
        task, sample = by_name[made.task], samples[made.task, made.sample]
        prompt = task.render(sample, made.variant.text)
        return Question(task, sample, made.variant, made.meaning, prompt, settings[task.name])

    return ask


def settings_for(task: Task, config: RunConfig) -> Settings:
    """The task's own generation settings, with what --gen_kwargs says over them."""
    asked = config.gen_kwargs
    return Settings(
        max_new_tokens=asked.max_new_tokens or task.max_new_tokens,
        stop=tuple(asked.stop) if asked.stop is not None else task.stop,
        temperature=asked.temperature,
        top_p=asked.top_p,
        seed=config.seed,
    )


def requests_for(items: Sequence[Item]) -> dict[Request, list[Item]]:
    """Each distinct request with the items that share its answer: what is asked twice is generated once.

    Identity variants are the exception: they are repetitions on purpose.
    """
    shared: dict[tuple[str, str, tuple[str, ...], Settings, int], tuple[Request, list[Item]]] = {}
    for item in items:
        asked = item.question
        replicate = asked.variant.repeat + 1 if asked.variant.perturbation == IDENTITY else 0
        same = (item.adapter.name, asked.prompt, asked.sample.choices, asked.settings, replicate)
        if same not in shared:
            request = Request(
                item.key, item.adapter.name, asked.prompt, asked.settings, replicate, asked.sample.choices
            )
            shared[same] = request, []
        shared[same][1].append(item)
    return dict(shared.values())


def addressed(questions: Sequence[Question], adapters: Sequence[Adapter]) -> Iterator[Item]:
    """Every question for every adapter, adapter by adapter."""
    for adapter in adapters:
        for question in questions:
            yield Item(_key(adapter, question), adapter, question)


def _key(adapter: Adapter, question: Question) -> str:
    variant = question.variant
    fields = (
        adapter.name,
        question.task.name,
        question.sample.id,
        variant.perturbation,
        variant.severity,
        variant.repeat,
    )
    return hashlib.blake2b(json.dumps(fields).encode(), digest_size=8).hexdigest()
