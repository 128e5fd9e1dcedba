"""Samples and tasks made in Python are checked when they are made, or when they are loaded."""

from collections.abc import Callable
from pathlib import Path

import pytest

import holdfast
from holdfast import Sample, Task
from holdfast.errors import UserError
from holdfast.harness.plan.preparation import load_tasks

ONE = Sample("1", "Where is it?")


def test_a_single_reference_and_a_single_metric_may_stand_alone() -> None:
    assert Sample("1", "What is the capital of Germany?", references="Berlin").references == ("Berlin",)
    task = Task("capitals", [ONE], metrics="exact_match")
    assert (task.samples, task.metrics) == ((ONE,), ("exact_match",))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Sample("1", None), "sample '1': id and content must be strings"),
        (lambda: Sample("1", "a", references=(3,)), "sample '1': references must be a list of strings"),
        (lambda: Sample("1", "a", choices="yes"), "sample '1': choices must be a list of strings"),
        (lambda: Task("t", "abc", ("exact_match",)), "task 't': samples must be a list of Sample objects"),
        (lambda: Task("t", (ONE,), ("exact_match",), max_new_tokens=0), "max_new_tokens must be a whole number >= 1"),
        (lambda: load_tasks([Task("t", (), ("exact_match",))]), "task 't' has no samples"),
        (lambda: load_tasks([Task("t", (ONE, ONE), ("exact_match",))]), "task 't' has 2 samples with the id '1'"),
        (lambda: holdfast.evaluate(tasks=[ONE]), "tasks must be names, files or Task objects, got Sample"),
    ],
)
def test_a_mistake_is_named(mistake: Callable[[], object], message: str, tmp_path: Path) -> None:
    with pytest.raises(holdfast.UserError, match=message):
        mistake()


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(UserError, match="a stop string must have at least one character"):
        Task("mine", [ONE], "exact_match", stop=("\n", ""))
