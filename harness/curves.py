"""Dose and response: how drift and score go with the strength of one perturbation."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

CURVE = ("adapter", "task", "perturbation")
COLUMNS = ("drift_auc", "score_auc", "leaves_floor_at")


def add_curves(rows: Sequence[dict[str, Any]]) -> None:
    """Give every row of the breakdown what its curve says, in place; NaN where fewer than two strengths were tried.

    `drift_auc` and `score_auc` are the areas under max drift and score over the strengths tried, divided by their range
    (trapezoids: the mean over that range). `leaves_floor_at` is the smallest strength from which on the drift's
    interval lies above the noise floor; NaN where it never does. Strengths are the severities given as numbers.
    """
    curves: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        row.update(dict.fromkeys(COLUMNS, np.nan))
        if _strength(row) is not None and row["n"]:
            curves.setdefault(tuple(row[name] for name in CURVE), []).append(row)
    for points in curves.values():
        if len(points) > 1:
            points.sort(key=lambda row: float(row["severity"]))
            strengths = [float(row["severity"]) for row in points]
            said = {
                "drift_auc": _mean_height(strengths, [row["max_drift"] for row in points]),
                "score_auc": _mean_height(strengths, [row["perturbed"] for row in points]),
                "leaves_floor_at": _leaves_floor(points),
            }
            for row in points:
                row.update(said)


def _strength(row: dict[str, Any]) -> float | None:
    try:
        return float(row["severity"])
    except ValueError:
        return None


def _mean_height(strengths: Sequence[float], values: Sequence[float]) -> float:
    return float(np.trapezoid(values, strengths)) / (strengths[-1] - strengths[0])


def _leaves_floor(points: Iterable[dict[str, Any]]) -> float:
    left = np.nan
    for row in points:
        if not row["max_drift_low"] > row["noise_floor"]:
            left = np.nan
        elif np.isnan(left):
            left = float(row["severity"])
    return left
