"""Classification by likelihood: the labels of a task as the choices among which the model chooses."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.errors import UserError
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import find_local
from holdfast.harness.models.classifiers import LABELS, classes_of, is_classifier
from holdfast.harness.store.config import RunConfig
from holdfast.metrics.label_mentions import label_form
from holdfast.tasks import Task
from holdfast.tasks.task import CONTENT
from holdfast.tasks.task_labels import LABEL_METRIC


def with_label_choices(tasks: Sequence[Task], config: RunConfig, adapters: Sequence[Adapter]) -> list[Task]:
    """Return the tasks as they are asked: with choices where labels are ranked by likelihood.

    A sequence classifier always ranks its classes, and reads the content alone.

    Args:
        tasks: The tasks.
        config: The configuration; with `label_likelihood`, a language model ranks labels, too.
        adapters: The adapters of the run.

    Raises:
        UserError: If the model is a classifier and something else of the run is not for one; or if labels are to be
            ranked, and no task has any.
    """
    base = find_local(str(config.model_args.get("pretrained", "")))
    if base is not None and is_classifier(base, adapters):
        _check_settings(config)
        names = next(iter(classes_of(base, adapters, config.model_args).values()))
        return [_for_classifier(task, names) for task in tasks]
    if LABELS in config.model_args:
        raise UserError(f"--model_args: {LABELS} names the classes of a sequence classifier, which this model is not")
    if not config.label_likelihood:
        return list(tasks)
    if not any(LABEL_METRIC in task.metrics for task in tasks):
        raise UserError(f"--label_likelihood: no task has labels ({LABEL_METRIC} among its metrics): omit it")
    return [_ranked(task) if LABEL_METRIC in task.metrics else task for task in tasks]


def _check_settings(config: RunConfig) -> None:
    """Raise UserError for what a sequence classifier can't do."""
    if config.model != "hf":
        raise UserError(f"the model is a sequence classifier, which the backend '{config.model}' can't run: use hf")
    if config.mitigations:
        raise UserError("--mitigations are texts around a prompt, and a sequence classifier reads none: omit them")
    if config.adapter_scales:
        raise UserError("--adapter_scales: the head of a classifier's adapter can't be scaled: omit it")


def _ranked(task: Task) -> Task:
    samples = (each if each.choices else replace(each, choices=each.metadata["labels"]) for each in task.samples)
    return replace(task, samples=tuple(samples))


def _for_classifier(task: Task, names: tuple[str, ...]) -> Task:
    """Return a task that asks for one of these classes, with the content alone as its prompt, and scores the label."""
    forms = set(map(label_form, names))
    for sample in task.samples:
        for label in sample.references:
            if label_form(label) not in forms:
                raise UserError(
                    f"task '{task.name}', sample '{sample.id}': the reference '{label[:40]}' is not one of the "
                    f"classifier's classes ({', '.join(names)}): name them in their order with {LABELS}=A:B:... in "
                    "--model_args, or use data with these labels"
                )
    samples = (replace(each, choices=names, metadata={**each.metadata, "labels": list(names)}) for each in task.samples)
    metrics = task.metrics if LABEL_METRIC in task.metrics else (LABEL_METRIC,)
    return replace(task, samples=tuple(samples), prompt=CONTENT, metrics=metrics)
