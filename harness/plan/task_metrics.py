"""The metrics of a task: those that it names, and those of every run."""

from collections.abc import Sequence
from typing import Literal

from holdfast.errors import UserError
from holdfast.metrics import Metric, metrics
from holdfast.tasks import Task

ALWAYS = "answer_rate"
"""Scored in every run, so that refusals and one-word answers can't win unnoticed."""

DRIFT = "segment_drift"


def metrics_of(names: Sequence[str], kind: Literal["sample", "pair"]) -> list[Metric]:
    """Return the metrics of one kind among these and those of every run; raise UserError for an unknown name."""
    return [metric for metric in map(metrics.get, dict.fromkeys((*names, ALWAYS, DRIFT))) if metric.kind == kind]


def headline_of(task: Task) -> tuple[str, bool]:
    """Return the score that represents a task in tables, and whether higher is better.

    Raises:
        UserError: If the task has no metric, or its first metric compares pairs of answers.
    """
    if not task.metrics:
        raise UserError(f"task '{task.name}' has no metric: give it one (holdfast ls metrics lists all)")
    metric = metrics.get(task.metrics[0])
    if metric.kind != "sample":
        raise UserError(
            f"task '{task.name}': its first metric '{metric.name}' compares two answers; put one first that "
            "scores a single answer, such as exact_match"
        )
    return metric.headline, metric.higher_is_better[metric.headline]
