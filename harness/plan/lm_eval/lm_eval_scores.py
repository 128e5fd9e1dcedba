"""Score answers by the filters and metrics of a task of lm-eval."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.metrics import Metric, Scores, metrics
from holdfast.metrics.metric import Metadata

_SHARE = re.compile(r"(^|_)(acc|exact_match|em|f1)(_|,|$)")
"""Names of metrics whose values lie in [0, 1]."""

_NO_FILTER = "none"

_GREEDY = ("exact_match",)
"""Metrics of a multiple choice that need to know whether greedy decoding gives a choice, which is not measured."""


def register_scores(source: Any, name: str, documents: Sequence[dict[str, Any]]) -> None:
    """Register the metric `name`, which runs the filters and metrics of a task of lm-eval on each answer.

    Its keys are the task's metrics, as in `acc`, with the filter behind them where there are several, as in
    `exact_match,strict-match`. Only metrics whose mean lm-eval reports are among them: others have no value for one
    answer.

    Raises:
        UserError: If the task has none of them.
    """
    reported = source.aggregation()
    higher = source.higher_is_better()
    likelihoods = (-1.0,) * len(source.doc_to_choice(documents[0])) if _is_choice(source) else ()
    try:
        tried = _processed(source, documents[0], "", likelihoods)
    except Exception as error:  # a metric's or a filter's code can raise anything
        why = f"{type(error).__name__}: {first_line(error)}"
        metrics_named = ", ".join(map(str, source._metric_fn_list))
        raise UserError(f"task '{name}': lm-eval can't run its metrics {metrics_named} on an answer ({why})") from None
    names = {
        _key(key, filtered, source): bool(higher.get(key, True))
        for filtered, values in tried.items()
        for key, value in values.items()
        if _is_mean(reported.get(key)) and _is_number(value) and key not in (_GREEDY if _is_choice(source) else ())
    }
    if not names:
        raise UserError(f"task '{name}' has no metric with a value for a single answer, so nothing can be compared")

    def compute(
        outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
    ) -> list[Scores]:
        return [_scores(source, names, documents, *each) for each in zip(outputs, metadata, strict=True)]

    unbounded = frozenset(key for key in names if not _SHARE.search(key))
    metrics.register(name, Metric(name, "sample", compute, names, unbounded))


def _scores(
    source: Any, names: Mapping[str, bool], documents: Sequence[dict[str, Any]], output: str, metadata: Metadata
) -> Scores:
    before, after = metadata.get("margins", ("", ""))
    processed = _processed(
        source, documents[metadata["document"]], f"{before}{output}{after}", metadata.get("likelihoods", ())
    )
    found = {
        _key(key, filtered, source): value for filtered, values in processed.items() for key, value in values.items()
    }
    return {key: float(found[key]) for key in names if _is_number(found.get(key))}


def _processed(
    source: Any, document: dict[str, Any], written: str, likelihoods: Sequence[float]
) -> Mapping[str, Mapping[str, Any]]:
    """Return lm-eval's results for one answer, by filter."""
    from lm_eval.api.instance import Instance

    answers = [(each, False) for each in likelihoods] if _is_choice(source) else [written]
    kind = "loglikelihood" if _is_choice(source) else "generate_until"
    asked = [Instance(kind, document, ("", {}), i, resps=[answer]) for i, answer in enumerate(answers)]
    for ensemble in source._filters:  # `apply_filters` runs them on the task's own requests only
        ensemble.apply(asked)
    return {
        each: source.process_results(document, [instance.filtered_resps[each] for instance in asked])
        for each in asked[0].filtered_resps
    }


def _is_choice(source: Any) -> bool:
    return bool(source.OUTPUT_TYPE == "multiple_choice")


def _key(metric: str, filtered: str, source: Any) -> str:
    """Return the name of a score."""
    alone = len(source._filters) == 1 and filtered == _NO_FILTER
    return metric if alone else f"{metric},{filtered}"


def _is_mean(aggregation: Any) -> bool:
    return getattr(aggregation, "__name__", "") == "mean"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
