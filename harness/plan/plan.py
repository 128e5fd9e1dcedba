"""The plan of a run: each sample, clean and under every perturbation, for each adapter."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Request, Settings
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.plan.mitigations import apply_mitigation
from holdfast.harness.plan.sample_variants import SampleVariant, cells_of, variant_of
from holdfast.harness.plan.shaping import Shape, Shaper, reshapes
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import IDENTITY
from holdfast.perturbations import Variant, clean_variant
from holdfast.tasks import Sample, Task, limited


@dataclass(frozen=True, slots=True)
class Question:
    """A variant of a sample, rendered as a prompt; every adapter gets the same questions, but for its mitigation."""

    task: Task
    sample: Sample
    variant: Variant
    meaning: float | None
    prompt: str
    settings: Settings
    shape: Shape | None = None
    """Of a perturbation that changes the prompt around the content, what its answers stand for."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices that are ranked."""
        return self.shape.choices if self.shape else self.sample.choices


@dataclass(frozen=True, slots=True)
class Item:
    """A question for one adapter: one line of samples.jsonl."""

    key: str
    adapter: Adapter
    question: Question

    @property
    def clean_key(self) -> tuple[str, str, str]:
        """(adapter, task, sample): common to a clean answer and its perturbed ones."""
        return self.adapter.name, self.question.task.name, self.question.sample.id


@dataclass(frozen=True, slots=True)
class Plan:
    """All items of a run."""

    clean: tuple[Item, ...]
    """Original prompts; they come first, since all other answers are compared with theirs."""
    unchanged: tuple[Item, ...]
    """Prompts in which the perturbation found nothing to change."""
    perturbed: tuple[Item, ...]
    """Perturbed prompts, and the original ones once more, for the noise floor."""

    def __len__(self) -> int:
        return len(self.clean) + len(self.unchanged) + len(self.perturbed)


def make_plan(
    config: RunConfig, tasks: Sequence[Task], adapters: Sequence[Adapter], variants: Iterable[SampleVariant]
) -> Plan:
    """Plan each sample for every adapter: as it is, as it is once more (for the noise floor), and each variant.

    Raises:
        UserError: If a task's prompt is the same for a clean content and a perturbed one.
    """
    to_question = question_maker(config, tasks)
    samples = [(task, sample) for task in tasks for sample in limited(task, config.limit)]
    clean = [
        to_question(SampleVariant(task.name, sample.id, clean_variant(sample.content))) for task, sample in samples
    ]
    same, severity = cells_of(config)[0]
    again = [
        to_question(SampleVariant(task.name, sample.id, variant_of(task, sample, same, severity, 0, config.seed)))
        for task, sample in samples
    ]
    varied = [to_question(variant) for variant in variants]
    _check_arrives(clean, varied)
    unchanged = [question for question in varied if not question.variant.edits]
    perturbed = again + [question for question in varied if question.variant.edits]
    return Plan(*(tuple(items_for(questions, adapters)) for questions in (clean, unchanged, perturbed)))


def question_maker(config: RunConfig, tasks: Sequence[Task]) -> Callable[[SampleVariant], Question]:
    """Return a function that renders a variant as a question, with its task's prompt and generation settings."""
    samples = {(task.name, sample.id): sample for task in tasks for sample in task.samples}
    by_name = {task.name: task for task in tasks}
    settings = {task.name: settings_for(task, config) for task in tasks}
    shapers = {task.name: Shaper(task, config.seed) for task in tasks}

    def to_question(each: SampleVariant) -> Question:
        task, sample = by_name[each.task], samples[each.task, each.sample]
        if reshapes(each.variant.perturbation):
            shape = shapers[task.name].shape(sample, each.variant.perturbation, each.variant.severity)
            return Question(task, sample, each.variant, each.meaning, shape.prompt, settings[task.name], shape)
        prompt = task.render(sample, each.variant.text)
        return Question(task, sample, each.variant, each.meaning, prompt, settings[task.name])

    return to_question


def settings_for(task: Task, config: RunConfig) -> Settings:
    """Return the task's generation settings, overridden by --gen_kwargs."""
    given = config.gen_kwargs
    return Settings(
        max_new_tokens=given.max_new_tokens or task.max_new_tokens,
        stop=tuple(given.stop) if given.stop is not None else task.stop,
        temperature=given.temperature,
        top_p=given.top_p,
        seed=config.seed,
    )


def requests_for(items: Sequence[Item]) -> dict[Request, list[Item]]:
    """Return each distinct request with the items that share its answer, so that equal prompts are generated once.

    Identity variants are generated again on purpose, to measure noise.
    """
    shared: dict[tuple[str, str, str, tuple[str, ...], bool, Settings, int], tuple[Request, list[Item]]] = {}
    for item in items:
        question = item.question
        replicate = question.variant.repeat + 1 if question.variant.perturbation == IDENTITY else 0
        choices, joined, pair = question.choices, question.task.joined, question.sample.pair
        same = (item.adapter.name, question.prompt, pair, choices, joined, question.settings, replicate)
        if same not in shared:
            request = Request(
                item.key,
                item.adapter.name,
                question.prompt,
                question.settings,
                replicate,
                choices,
                question.variant.text,
                pair,
                joined,
            )
            shared[same] = request, []
        shared[same][1].append(item)
    return dict(shared.values())


def items_for(questions: Sequence[Question], adapters: Sequence[Adapter]) -> Iterator[Item]:
    """Yield every question for every adapter, adapter by adapter, with the adapter's mitigation around its prompt."""
    for adapter in adapters:
        for question in questions:
            if adapter.mitigation:
                question = replace(question, prompt=apply_mitigation(adapter.mitigation, question.prompt))
            yield Item(_key(adapter, question), adapter, question)


def _check_arrives(clean: Iterable[Question], varied: Iterable[Question]) -> None:
    """Raise UserError if a task's prompt template hides a perturbation."""
    originals = {(question.task.name, question.sample.id): question.prompt for question in clean}
    for question in varied:
        text, content = question.variant.text, question.sample.content
        if originals[question.task.name, question.sample.id] == question.prompt and text.strip() != content.strip():
            raise UserError(
                f"the prompt of task '{question.task.name}' is the same for different contents, such as "
                f"{content[:40]!r} and {text[:40]!r}, so that {question.variant.perturbation} never reaches the model: "
                "use {{ content }} without filters that drop a part of it"
            )


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
