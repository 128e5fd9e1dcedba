"""The metrics that a task is judged by: those it names, and those of every run."""

from collections.abc import Sequence
from typing import Literal

from holdfast.errors import UserError
from holdfast.metrics import Metric, metrics
from holdfast.tasks import Task

ALWAYS = "answer_rate"
"""Scored in every run, so that refusing or one-word answers can't win unseen."""

DRIFT = "segment_drift"


def metrics_of(names: Sequence[str], kind: Literal["sample", "pair"]) -> list[Metric]:
    """The metrics of one kind among these and those of every run; raises UserError for a name nobody registered."""
    return [metric for metric in map(metrics.get, dict.fromkeys((*names, ALWAYS, DRIFT))) if metric.kind == kind]


def headline_of(task: Task) -> tuple[str, bool]:
    """The key that stands for a task in every table, and whether higher is better.

    Raises UserError for a task without metrics, or whose first metric compares pairs of answers.
    """
    if not task.metrics:
        raise UserError(f"task '{task.name}' names no metric: give it one of `holdfast ls metrics`")
    metric = metrics.get(task.metrics[0])
    if metric.kind != "sample":
        raise UserError(
            f"task '{task.name}': its first metric '{metric.name}' compares two answers; put first one that "
            "judges a single answer, such as exact_match"
        )
    return metric.headline, metric.higher_is_better[metric.headline]
