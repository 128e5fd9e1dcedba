"""The labels that a task with `label_accuracy` gives its samples."""

import pytest

from holdfast.errors import UserError
from holdfast.tasks import Sample, Task

METRICS = ("label_accuracy",)


def labels_of(*samples: Sample, metrics: tuple[str, ...] = METRICS) -> list[object]:
    return [sample.metadata.get("labels") for sample in Task("t", samples, metrics).samples]


def test_a_sample_keeps_its_own_labels() -> None:
    sample = Sample("1", "So?", ("a",), {"labels": ["a", "b"]}, ("a", "c"))
    assert labels_of(sample) == [("a", "b")]


def test_choices_are_labels() -> None:
    assert labels_of(Sample("1", "So?", ("yes",), choices=("yes", "no"))) == [("yes", "no")]


def test_all_references_of_the_task_are_labels_otherwise() -> None:
    assert labels_of(Sample("1", "x", ("good",)), Sample("2", "y", ("bad",))) == [("good", "bad")] * 2


def test_other_tasks_get_no_labels() -> None:
    assert labels_of(Sample("1", "x", ("good",)), metrics=("exact_match",)) == [None]


@pytest.mark.parametrize("label", ["", " \t", "\u200b"])
def test_a_label_that_can_never_be_found_is_refused(label: str) -> None:
    with pytest.raises(UserError, match="task 't', sample '1': the label .* can never be found"):
        labels_of(Sample("1", "x", ("good",), {"labels": ["good", label]}))


def test_a_task_without_labels_is_refused() -> None:
    with pytest.raises(UserError, match="label_accuracy needs labels"):
        labels_of(Sample("1", "x"))
