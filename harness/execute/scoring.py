"""Score answers: the task's metrics for every answer, segment drift for every pair."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import Generation
from holdfast.harness.plan.plan import Item
from holdfast.harness.plan.task_metrics import DRIFT, metrics_of
from holdfast.harness.store.records import CLEAN
from holdfast.metrics import Metric, Scores
from holdfast.metrics.comparers.segment_comparer import Comparer
from holdfast.metrics.drift import Drift, segment_drift
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.metrics.metric import CONTENT, PairCompute

DIGITS = 6
"""Decimals that are kept of a score."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of an answer and, if its prompt is perturbed, its drift from the clean answer."""

    scores: Scores
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class Row:
    """An answer to score with these metrics, its references and, if its prompt is perturbed, the clean answer."""

    metrics: tuple[str, ...]
    output: str
    references: tuple[str, ...]
    metadata: Mapping[str, Any]
    clean: str | None
    judged: str | None = None
    """The answer as metrics compare it with references, if the task filters answers."""
    asked: str = ""
    """The prompt without perturbation, for a judge."""
    rubric: str = ""
    """The task's rubric for a judge."""


Score = Callable[[Sequence[Row]], list[Scored]]
"""Returns the scores of each row."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores batches of answers, which may be of different tasks."""

    encoding: Encoding
    granularity: Literal["sentence", "clause", "phrase"]
    pipeline: str | None = None
    comparer: Comparer | None = None
    """None means `facts`."""

    def score(self, rows: Sequence[Row]) -> list[Scored]:
        """Return all scores of each row, rounded, and its drift from the clean answer if it has one."""
        scores: list[Scores] = [{} for _ in rows]
        for names, places in _by_metrics(rows):
            for metric in metrics_of(names, "sample"):
                found = _compute(
                    metric,
                    metric.compute,
                    [_judged(rows[i], metric) for i in places],
                    [rows[i].references for i in places],
                    [rows[i].metadata for i in places],
                )
                _merge(scores, places, found)
        clean = {i: row.clean for i, row in enumerate(rows) if row.clean is not None}
        measured = segment_drift(
            list(clean.values()),
            [rows[i].output for i in clean],
            encoding=self.encoding,
            granularity=self.granularity,
            pipeline=self.pipeline,
            comparer=self.comparer,
        )
        drifts = dict(zip(clean, measured, strict=True))
        _merge(scores, list(drifts), [drift.scores() for drift in measured])
        for names, places in _by_metrics(rows):
            paired = [i for i in places if i in clean]
            for metric in metrics_of(names, "pair"):
                if metric.name != DRIFT and paired:
                    found = _compute(
                        metric, self._pairs(metric), [clean[i] for i in paired], [rows[i].output for i in paired]
                    )
                    _merge(scores, paired, found)
        return [
            Scored({key: round(float(value), DIGITS) for key, value in row.items()}, drifts.get(i))
            for i, row in enumerate(scores)
        ]

    def _pairs(self, metric: Metric) -> PairCompute:
        compute: PairCompute = metric.compute
        return partial(compute, encode=self.encoding.main) if metric.needs_encoder else compute


def row_of(item: Item, answer: Generation, clean_output: Callable[[Item], str]) -> Row:
    """Return an answer as a row to score; `clean_output` returns the clean answer of a perturbed item.

    Its metadata are the sample's and its clean `content`, with the answer's `likelihoods` and `margins` where it has
    them.
    """
    question = item.question
    clean = clean_output(item) if question.variant.perturbation != CLEAN else None
    metadata = {**question.sample.metadata, CONTENT: question.sample.content}
    if answer.likelihoods:
        metadata["likelihoods"] = answer.likelihoods
    if any(answer.margins):
        metadata["margins"] = answer.margins
    task, sample = question.task, question.sample
    judged = task.judged(answer.output) if task.filters else None
    row = Row(task.metrics, answer.output, sample.references, metadata, clean, judged)
    if {"judge", "policy_judge"} & {*task.metrics}:
        return replace(row, asked=task.render(sample, sample.content), rubric=task.rubric)
    return row


def _judged(row: Row, metric: Metric) -> str:
    return row.output if row.judged is None or metric.output_only else row.judged


def drifted_segments(drift: Drift) -> tuple[dict[str, Any], ...]:
    """Return the segments that drifted, worst first, for --log_samples.

    `links` of a segment are the segments of the other answer that share mass with it: [start, end, mass].
    """
    sides = {"clean": (drift.clean, drift.perturbed), "perturbed": (drift.perturbed, drift.clean)}
    links: dict[tuple[str, int], list[tuple[int, int, float]]] = {}
    for link in drift.links:
        for side, mine, other in (("clean", link.clean, link.perturbed), ("perturbed", link.perturbed, link.clean)):
            there = sides[side][1][other].segment
            links.setdefault((side, mine), []).append((there.start, there.end, round(link.mass, DIGITS)))
    moved = [(side, i, part) for side, (mine, _) in sides.items() for i, part in enumerate(mine) if part.drift > 0]
    return tuple(
        {
            "side": side,
            "text": part.segment.text,
            "start": part.segment.start,
            "partner": part.partner.text if part.partner else None,
            "links": links.get((side, i), []),
            "drift": round(part.drift, DIGITS),
            "reason": part.reason,
        }
        for side, i, part in sorted(moved, key=lambda each: -each[2].drift)
    )


def _compute(metric: Metric, compute: Callable[..., Any], outputs: Sequence[str], *others: Any) -> list[Scores]:
    """Run a metric on a batch; raises UserError naming a metric that fails or breaks its contract."""
    advice = "holdfast.metrics.testing.check_metric tests it"
    try:
        found = compute(outputs, *others)
    except UserError:
        raise
    except Exception as error:
        if metric.compute.__module__.startswith("holdfast."):
            raise
        why = f"{type(error).__name__}: {first_line(error)}"
        raise UserError(f"metric '{metric.name}' failed ({why}); {advice}") from error
    if wrong := _contract_violation(metric, found, len(outputs)):
        raise UserError(f"metric '{metric.name}' {wrong}; {advice}")
    return list(found)


def _contract_violation(metric: Metric, found: object, count: int) -> str:
    """What is wrong with the scores of a batch; empty if nothing is."""
    if not isinstance(found, list) or len(found) != count:
        return f"must return a list of {count} dicts, one per answer"
    for scores in found:
        if not isinstance(scores, dict):
            return f"must return a dict per answer, got {type(scores).__name__}"
        for key, value in scores.items():
            if key not in metric.higher_is_better:
                return f"returned '{key}', which it does not declare"
            if not isinstance(value, (int, float, np.number, np.bool_)) or not math.isfinite(value):
                return f"returned {key}={value!r}, not a finite number"
            if metric.kind == "sample" and key not in metric.unbounded and not 0 <= value <= 1:
                return f"returned {key}={value:g}, outside of [0, 1]; declare it as unbounded if it is meant to be"
    return ""


def _merge(rows: list[Scores], places: Sequence[int], found: Sequence[Scores]) -> None:
    for i, scores in zip(places, found, strict=True):
        rows[i].update(scores)


def _by_metrics(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Return the indices of the rows with the same metrics, by these metrics."""
    places: dict[tuple[str, ...], list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault(row.metrics, []).append(i)
    return list(places.items())
