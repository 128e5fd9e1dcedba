"""Everything a run will ask: each sample, clean and under every perturbation, for each adapter."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.harness.backends.types import Adapter, Request, Settings
from holdfast.harness.config import RunConfig
from holdfast.perturbations import Variant, clean_variant, make_variant, parse, parts_of
from holdfast.tasks import Sample, Task

IDENTITY = "identity"
"""The perturbation that changes nothing: it is part of every run, since it measures the noise floor."""


@dataclass(frozen=True, slots=True)
class Question:
    """One variant of one sample, rendered: what every adapter is asked."""

    task: Task
    sample: Sample
    variant: Variant
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


def make_plan(config: RunConfig, tasks: Sequence[Task], adapters: Sequence[Adapter]) -> Plan:
    """Make every variant and address it to every adapter; deterministic in the configuration's seed."""
    cells = _cells(config)
    clean: list[Question] = []
    unchanged: list[Question] = []
    perturbed: list[Question] = []
    for task in tasks:
        settings = settings_for(task, config)
        for sample in task.samples[: config.limit]:
            variant = clean_variant(sample.content)
            clean.append(_question(task, sample, variant, settings))
            for name, severity, repeats in cells:
                for repeat in range(repeats):
                    variant = _variant(task, sample, name, severity, repeat, config.seed)
                    same = not variant.edits and name != IDENTITY
                    (unchanged if same else perturbed).append(_question(task, sample, variant, settings))
    return Plan(*(tuple(_addressed(asked, adapters)) for asked in (clean, unchanged, perturbed)))


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
    shared: dict[tuple[str, str, Settings, int], tuple[Request, list[Item]]] = {}
    for item in items:
        asked = item.question
        replicate = asked.variant.repeat + 1 if asked.variant.perturbation == IDENTITY else 0
        same = (item.adapter.name, asked.prompt, asked.settings, replicate)
        if same not in shared:
            shared[same] = Request(item.key, item.adapter.name, asked.prompt, asked.settings, replicate), []
        shared[same][1].append(item)
    return dict(shared.values())


def _cells(config: RunConfig) -> list[tuple[str, str, int]]:
    """(perturbation, severity, repeats), each once, the noise floor first."""
    cells = {(IDENTITY, _severities(IDENTITY, None, config)[0], 1): None}
    for spec in config.perturbations:
        name, severity = parse(spec)
        repeats = 1 if name == IDENTITY else config.repeats
        cells.update(dict.fromkeys((name, each, repeats) for each in _severities(name, severity, config)))
    return list(cells)


def _severities(name: str, severity: str | None, config: RunConfig) -> Sequence[str]:
    if severity is not None:
        return [severity]
    parts = parts_of(name)
    constant = len(parts) == 1 and parts[0].light == parts[0].heavy
    return [f"{parts[0].light:g}"] if constant else config.severity


def _variant(task: Task, sample: Sample, name: str, severity: str, repeat: int, seed: int) -> Variant:
    return make_variant(
        sample.content,
        task=task.name,
        sample_id=sample.id,
        perturbation=name,
        severity=severity,
        repeat=repeat,
        seed=seed,
        protect=tuple(sample.metadata.get("protect", ())),
        paraphrases=tuple(sample.metadata.get("paraphrases", ())),
    )


def _question(task: Task, sample: Sample, variant: Variant, settings: Settings) -> Question:
    return Question(task, sample, variant, task.render(sample, variant.text), settings)


def _addressed(questions: Sequence[Question], adapters: Sequence[Adapter]) -> Iterator[Item]:
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
