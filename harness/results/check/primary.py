"""The primary metrics of a check: the pairs of values that each one is judged by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.results.check.answers import TaskAnswers
from holdfast.harness.results.check.budgets import Budget, check_direction, check_names, check_reach
from holdfast.harness.results.check.inference.differences import Pairs
from holdfast.harness.results.statistics import Values
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.metrics import metrics
from holdfast.metrics.drift_columns import DRIFTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_COLUMNS = {"clean": "score", "perturbed": "score", "break_rate": "broke"}
"""The column of answers behind a metric, where the name isn't that of a score."""


@dataclass(frozen=True, slots=True)
class Primary:
    """A metric that decides, for one task, pooled over perturbations and severities."""

    task: str
    metric: str
    score: str
    """What is measured, as in rougeL for the metric `perturbed`."""
    budget: Budget
    higher_is_better: bool
    rows: "pd.DataFrame"
    """The pairs of answers, with the columns `old` and `new`, NaN where one could not be scored; `groups`; and
    `cluster`, the item of a sample or else the sample."""
    bounded: bool
    """Whether the metric lies in [0, 1]."""
    floor: float
    """For drifts, the candidate's mean on prompts asked again unchanged, which is noise; otherwise NaN."""

    @property
    def unscorable(self) -> int:
        """Number of pairs of which an answer could not be scored."""
        return int(self.rows[["old", "new"]].isna().any(axis=1).sum())

    def pairs(self, fill: str = "") -> Pairs:
        """Return the values, clustered by sample; the forms of one item are one cluster.

        Args:
            fill: How answers that could not be scored count: "" leaves their pairs out; "worst" takes the best value
                for the old side and the worst for the new one, "best" the opposite.
        """
        rows = self.rows
        if fill:
            low, high = self._range()
            good, bad = (high, low) if self.higher_is_better else (low, high)
            old, new = (good, bad) if fill == "worst" else (bad, good)
            rows = rows.assign(old=rows["old"].fillna(old), new=rows["new"].fillna(new))
        else:
            rows = rows.dropna(subset=["old", "new"])
        clusters, _ = rows["cluster"].factorize()
        return Pairs(rows["old"].to_numpy(np.float64), rows["new"].to_numpy(np.float64), clusters.astype(np.int64))

    def _range(self) -> tuple[float, float]:
        """Return the least and the greatest value that an answer might have had."""
        if self.bounded:
            return 0.0, 1.0
        seen = self.rows[["old", "new"]].to_numpy(np.float64)
        return float(np.nanmin(seen)), float(np.nanmax(seen))


def primaries(
    pairs: "pd.DataFrame",
    tasks: "Mapping[str, TaskAnswers]",
    budgets: "Mapping[str, Mapping[str, Budget]]",
    where: str,
) -> list[Primary]:
    """Return the primary metrics that the budgets name.

    Args:
        pairs: The pairs of answers (`comparability.pair`).
        tasks: The tasks of both sides.
        budgets: The budgets by task and metric.
        where: What the budgets come from, for messages.

    Raises:
        UserError: If a task or metric is unknown, with the nearest name; if no answer has the metric; or if a margin
            points the wrong way or a budget lies beyond the values that the metric can have.
    """
    check_names(budgets, tasks, where, "task")
    found = []
    for task, wanted in budgets.items():
        known = tasks[task].higher_is_better
        _check_given(wanted, known, f"{where}, task '{task}'")
        for metric, budget in wanted.items():
            check_direction(budget, f"{where}, {task}.{metric}", higher_is_better=known[metric])
            mine = pairs[pairs["task"] == task]
            rows = _rows(mine, metric)
            score = tasks[task].headline if _COLUMNS.get(metric) == "score" else metric
            values = rows[["old", "new"]].to_numpy(np.float64)
            if bounded := _is_bounded(score, values):
                check_reach(budget, f"{where}, {task}.{metric}")
            floor = _floor(mine, metric) if metric in DRIFTS else float("nan")
            found.append(Primary(task, metric, score, budget, known[metric], rows, bounded, floor))
    return found


def _check_given(wanted: "Mapping[str, Budget]", given: "Mapping[str, bool]", where: str) -> None:
    """Raise UserError for the first metric that is unknown, or known but without a score in these answers."""
    elsewhere = {key for name in metrics.names() for key in metrics.get(name).higher_is_better}
    for metric in wanted:
        if metric in elsewhere and metric not in given:
            raise UserError(f"{where}: no answer has a score '{metric}'; there are {', '.join(given)}")
    check_names(wanted, given, where, "metric")


def default_metrics(tasks: "Mapping[str, TaskAnswers]") -> dict[str, dict[str, bool]]:
    """Return the primary metrics used without a budgets file: clean and perturbed score, and drift."""
    return {
        name: {
            metric: task.higher_is_better[metric]
            for metric in ("clean", "perturbed", "max_drift")
            if metric in task.higher_is_better
        }
        for name, task in tasks.items()
    }


def _is_bounded(score: str, values: Values) -> bool:
    """Whether a score lies in [0, 1], by what its metric declares and by its values."""
    declared = any(score in metrics.get(name).unbounded for name in metrics.names())
    return not declared and bool(np.nanmin(values, initial=0) >= 0 and np.nanmax(values, initial=1) <= 1)


def _floor(pairs: "pd.DataFrame", metric: str) -> float:
    return float(pairs.loc[pairs["perturbation"] == IDENTITY, f"{metric}_new"].mean())


def _rows(pairs: "pd.DataFrame", metric: str) -> "pd.DataFrame":
    """Return the pairs of one task with the values of a metric in `old` and `new`.

    Samples to which the metric doesn't apply, such as those without references, have no score on either side.
    """
    column = _COLUMNS.get(metric, metric)
    perturbed = ~pairs["perturbation"].isin([CLEAN, IDENTITY])
    clean = metric == "clean" or not perturbed.any()
    rows = pairs[pairs["perturbation"] == CLEAN] if clean else pairs[perturbed]
    cluster = rows["item"].where(rows["item"] != "", rows["sample"])
    rows = rows.assign(old=rows[f"{column}_old"], new=rows[f"{column}_new"], cluster=cluster)
    scored = rows[["old", "new"]].notna().any(axis=1).groupby(rows["sample"]).transform("any")
    return rows[scored.astype(bool)]
