"""The labels among which `label_accuracy` looks for the one that an answer gives."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from holdfast.errors import UserError
from holdfast.tasks.sample import Sample, strings

LABEL_METRIC = "label_accuracy"


def with_labels(samples: Sequence[Sample], where: str) -> tuple[Sample, ...]:
    """Return the samples with their labels as metadata: their own, else their choices, else all samples' references.

    Args:
        samples: The samples of a task.
        where: The task, for error messages.

    Raises:
        UserError: If a sample has no labels, or a label has no visible character and so can't be found in an answer.

    >>> samples = [Sample("1", "Good?", ("yes",)), Sample("2", "Bad?", ("no",))]
    >>> [sample.metadata["labels"] for sample in with_labels(samples, "task 't'")]
    [('yes', 'no'), ('yes', 'no')]
    """
    everything = tuple(dict.fromkeys(reference for sample in samples for reference in sample.references))
    return tuple(_with_labels(sample, everything, f"{where}, sample {sample.id!r}") for sample in samples)


def _with_labels(sample: Sample, everything: tuple[str, ...], where: str) -> Sample:
    labels = sample.metadata.get("labels") or sample.choices or everything
    labels = strings(labels, f"{where}: labels", single=True)
    if not labels:
        raise UserError(f"{where}: {LABEL_METRIC} needs labels; give the samples labels, choices or references")
    for label in labels:
        if not any(map(_is_visible, label)):
            raise UserError(f"{where}: the label {label!r} can never be found in an answer; remove or name it")
    return replace(sample, metadata={**sample.metadata, "labels": labels})


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
