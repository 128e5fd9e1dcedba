"""Dose-response curves: drift and score as functions of a perturbation's strength."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CURVE = ["adapter", "task", "perturbation"]
COLUMNS = ("drift_auc", "score_auc", "leaves_floor_at", "curve_samples", "curve_strengths")


def add_curves(rows: Sequence[dict[str, Any]], answers: "pd.DataFrame") -> None:
    """Add the columns of its curve to every row of the breakdown, in place; NaN with fewer than two strengths.

    `drift_auc` and `score_auc` are the areas under max drift and score over the tried strengths, divided by their
    range (trapezoidal rule, so a mean over that range). Only the `curve_samples` samples with an answer at each of
    the `curve_strengths` count, since variants that change the meaning are excluded, often many at high strengths.
    `leaves_floor_at` is the smallest strength from which the drift stays clearly above the noise floor; NaN if there is
    none.

    Args:
        rows: Rows of the breakdown; strengths are severities given as numbers.
        answers: One row per answer.
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
            drifts, scores = (
                _complete_samples(severities, by_curve[curve], column) for column in ("max_drift", "score")
            )
            columns = {
                "drift_auc": _mean_height(drifts),
                "score_auc": _mean_height(scores),
                "leaves_floor_at": _leaves_floor(points),
                "curve_samples": len(drifts),
                "curve_strengths": ", ".join(severities),
            }
            for row in points:
                row.update(columns)


def _is_number(severity: str) -> bool:
    try:
        float(severity)
    except ValueError:
        return False
    return True


def _complete_samples(severities: Sequence[str], answers: "pd.DataFrame", column: str) -> "pd.DataFrame":
    """Return one row for each sample with a value at every strength, one column for each strength."""
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
        if not row["above_floor"]:
            left = np.nan
        elif np.isnan(left):
            left = float(row["severity"])
    return left
