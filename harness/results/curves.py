"""Dose and response: how drift and score go with the strength of one perturbation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CURVE = ["adapter", "task", "perturbation"]
COLUMNS = ("drift_auc", "score_auc", "leaves_floor_at", "curve_samples", "curve_strengths")


def add_curves(rows: Sequence[dict[str, Any]], answers: "pd.DataFrame") -> None:
    """Give every row of the breakdown what its curve says, in place; NaN where fewer than two strengths were tried.

    `drift_auc` and `score_auc` are the areas under max drift and score over the strengths tried, divided by their range
    (trapezoids: the mean over that range), over the `curve_samples` samples that were asked at every one of the
    `curve_strengths`: variants that change the meaning are left out, at great strengths many. `leaves_floor_at` is the
    smallest strength from which on the lower end of the drift's 95 % interval lies above the noise floor; NaN where it
    never does. Strengths are the severities given as numbers; `answers` has a line for every answer.
    """
    curves: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        row.update(dict.fromkeys(COLUMNS, np.nan))
        if _is_number(row["severity"]) and row["n"]:
            curves.setdefault(tuple(row[name] for name in CURVE), []).append(row)
    by_curve = dict(iter(answers.groupby(CURVE)))
    for curve, points in curves.items():
        if len(points) > 1:
            points.sort(key=lambda row: float(row["severity"]))
            severities = [row["severity"] for row in points]
            drifts, scores = (_of_all(severities, by_curve[curve], column) for column in ("max_drift", "score"))
            said = {
                "drift_auc": _mean_height(drifts),
                "score_auc": _mean_height(scores),
                "leaves_floor_at": _leaves_floor(points),
                "curve_samples": len(drifts),
                "curve_strengths": ", ".join(severities),
            }
            for row in points:
                row.update(said)


def _is_number(severity: str) -> bool:
    try:
        float(severity)
    except ValueError:
        return False
    return True


def _of_all(severities: Sequence[str], answers: "pd.DataFrame", column: str) -> "pd.DataFrame":
    """One row for each sample that has a value at every strength, one column for each strength."""
    table = answers.pivot_table(index="sample", columns="severity", values=column)
    return table.reindex(columns=list(severities)).dropna()


def _mean_height(table: "pd.DataFrame") -> float:
    if table.empty:
        return np.nan
    strengths = [float(severity) for severity in table.columns]
    return float(np.trapezoid(table.mean().to_numpy(), strengths)) / (strengths[-1] - strengths[0])


def _leaves_floor(points: Sequence[dict[str, Any]]) -> float:
    left = np.nan
    for row in points:
        if not row["max_drift_low"] > row["noise_floor"]:
            left = np.nan
        elif np.isnan(left):
            left = float(row["severity"])
    return left
