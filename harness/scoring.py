"""From answers to scores: the task's metrics on every answer, segment drift on every pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from holdfast.errors import UserError
from holdfast.harness.plan import Item
from holdfast.harness.records import CLEAN
from holdfast.metrics import Metric, Scores, metrics
from holdfast.metrics.drift import Drift, segment_drift
from holdfast.metrics.encoders import Encoding
from holdfast.metrics.types import PairCompute
from holdfast.tasks import Task

ALWAYS = "answer_rate"
"""Scored in every run, so that refusing or one-word answers can't win unseen."""

DRIFT = "segment_drift"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one answer and, of a perturbed one, its drift from the clean answer."""

    scores: Scores
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores batches of answers, of any tasks mixed."""

    encoding: Encoding
    granularity: Literal["sentence", "clause", "phrase"]
    pipeline: str | None = None

    def score(self, items: Sequence[Item], outputs: Sequence[str], clean_output: Callable[[Item], str]) -> list[Scored]:
        """Score each output; a perturbed item's is compared with its clean one, which `clean_output` looks up."""
        rows: list[Scores] = [{} for _ in items]
        for task, places in _by_task(items):
            for metric in metrics_of(task, "sample"):
                found = metric.compute(
                    [outputs[i] for i in places],
                    [items[i].question.sample.references for i in places],
                    [items[i].question.sample.metadata for i in places],
                )
                _merge(rows, places, found)
        paired = [i for i, item in enumerate(items) if item.question.variant.perturbation != CLEAN]
        before = {i: clean_output(items[i]) for i in paired}
        measured = segment_drift(
            [before[i] for i in paired],
            [outputs[i] for i in paired],
            encoding=self.encoding,
            granularity=self.granularity,
            pipeline=self.pipeline,
        )
        _merge(rows, paired, [drift.scores() for drift in measured])
        for task, places in _by_task([items[i] for i in paired]):
            chosen = [paired[i] for i in places]
            for metric in metrics_of(task, "pair"):
                if metric.name != DRIFT:
                    _merge(
                        rows,
                        chosen,
                        self._pairs(metric)([before[i] for i in chosen], [outputs[i] for i in chosen]),
                    )
        of_item = dict(zip(paired, measured, strict=True))
        return [
            Scored({key: round(float(value), DIGITS) for key, value in row.items()}, of_item.get(i))
            for i, row in enumerate(rows)
        ]

    def _pairs(self, metric: Metric) -> PairCompute:
        compute: PairCompute = metric.compute
        return partial(compute, encode=self.encoding.main) if metric.needs_encoder else compute


def metrics_of(task: Task, kind: Literal["sample", "pair"]) -> list[Metric]:
    """The task's metrics of one kind; raises UserError for a name that is not registered."""
    names = dict.fromkeys((*task.metrics, ALWAYS, DRIFT))
    return [metric for metric in map(metrics.get, names) if metric.kind == kind]


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


def drifted_segments(drift: Drift) -> tuple[dict[str, Any], ...]:
    """The segments that moved, worst first, for --log_samples."""
    sides = [("clean", part) for part in drift.clean] + [("perturbed", part) for part in drift.perturbed]
    moved = sorted((pair for pair in sides if pair[1].drift > 0), key=lambda pair: -pair[1].drift)
    return tuple(
        {
            "side": side,
            "text": part.segment.text,
            "partner": part.partner.text if part.partner else None,
            "drift": round(part.drift, DIGITS),
            "reason": part.reason,
        }
        for side, part in moved
    )


def _merge(rows: list[Scores], places: Sequence[int], found: Sequence[Scores]) -> None:
    for i, scores in zip(places, found, strict=True):
        rows[i].update(scores)


def _by_task(items: Sequence[Item]) -> list[tuple[Task, list[int]]]:
    places: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        places.setdefault(item.question.task.name, []).append(i)
    return [(items[found[0]].question.task, found) for found in places.values()]
