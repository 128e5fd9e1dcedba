"""Dose-response curves."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from holdfast import Results
from holdfast.harness.results.curves import add_curves
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]


def answers(rows: list[dict]) -> pd.DataFrame:
    """Return two samples at every strength, one above and one below the row's mean."""
    found = [
        {**row, "sample": sample, "max_drift": row["max_drift"] + shift, "score": row["perturbed"] - shift}
        for row in rows
        for sample, shift in (("s1", 0.1), ("s2", -0.1))
    ]
    return pd.DataFrame(found)


def point(severity: str, drift: float, low: float, score: float = 0.5) -> dict:
    return {
        "adapter": "a",
        "task": "t",
        "perturbation": "typos",
        "severity": severity,
        "n": 5,
        "max_drift": drift,
        "max_drift_low": low,
        "perturbed": score,
        "above_floor": low > 0.1,
    }


def test_the_area_is_the_mean_height_of_the_curve() -> None:
    rows = [point("0.2", 0.6, 0.5, 0.2), point("0.0", 0.0, 0.0, 1.0), point("0.1", 0.2, 0.05, 0.6)]
    add_curves(rows, answers(rows))
    assert [row["drift_auc"] for row in rows] == pytest.approx([0.25] * 3)
    assert [row["score_auc"] for row in rows] == pytest.approx([0.6] * 3)


def test_drift_leaves_the_floor_once_it_stays_above_it() -> None:
    rows = [point("0.01", 0.3, 0.2), point("0.05", 0.1, 0.0), point("0.1", 0.3, 0.2), point("0.2", 0.4, 0.3)]
    add_curves(rows, answers(rows))
    assert {row["leaves_floor_at"] for row in rows} == {0.1}


def test_drift_within_the_noise_never_leaves_the_floor() -> None:
    rows = [point("0.01", 0.1, 0.05), point("0.05", 0.1, 0.08)]
    add_curves(rows, answers(rows))
    assert np.isnan(rows[0]["leaves_floor_at"])


def test_only_samples_with_every_strength_count() -> None:
    rows = [point("0.0", 0.0, 0.0), point("0.1", 0.4, 0.2)]
    every = answers(rows)
    extra = pd.DataFrame([{**rows[0], "sample": "s3", "max_drift": 1.0, "score": 0.0}])
    add_curves(rows, pd.concat([every, extra]))
    assert rows[0]["drift_auc"] == pytest.approx(0.2)
    assert rows[0]["curve_samples"] == 2
    assert rows[0]["curve_strengths"] == "0.0, 0.1"


def test_a_single_strength_gives_no_curve() -> None:
    rows = [point("0.01", 0.1, 0.05), {**point("light", 0.3, 0.2)}]
    add_curves(rows, answers(rows))
    assert all(np.isnan(row["drift_auc"]) for row in rows)


def test_the_breakdown_of_a_run_has_curves(run: Evaluate) -> None:
    results = run(Fake(), perturbations="typos", severity="0.02,0.1,0.3", min_meaning=0)
    cells = results.breakdown.query("perturbation == 'typos' and adapter == 'base'")
    assert list(cells["severity"]) == ["0.02", "0.1", "0.3"]
    assert cells["drift_auc"].nunique() == 1
    assert cells["max_drift"].min() < cells["drift_auc"].iloc[0] < cells["max_drift"].max()
    assert cells["leaves_floor_at"].iloc[0] in (0.02, 0.1, 0.3)
