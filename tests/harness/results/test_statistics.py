"""Confidence intervals have the promised coverage."""

import numpy as np
import pytest

from holdfast.harness.results.statistics import mean_intervals, proportion_interval


def test_the_bootstrap_covers_the_mean_about_95_percent_of_times() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(40):
        low, high = mean_intervals(rng.normal(0.3, 0.2, size=(60, 5)))
        covered += int(((low <= 0.3) & (high >= 0.3)).sum())
    assert 0.88 <= covered / 200 <= 0.99


def test_missing_values_constants_and_single_rows_have_intervals() -> None:
    low, high = mean_intervals(np.array([[1.0, np.nan, 0.5], [1.0, np.nan, np.nan], [1.0, np.nan, 0.7]]))
    assert (low[0], high[0]) == (1.0, 1.0)
    assert np.isnan(low[1])
    assert np.isnan(high[1])
    assert 0.5 <= low[2] <= 0.6 <= high[2] <= 0.7
    low, high = mean_intervals(np.array([[0.4]]))
    assert low == high == pytest.approx(0.4)


def test_a_perfect_score_on_few_samples_is_uncertain() -> None:
    low, high = proportion_interval([1.0] * 5)
    assert low < 0.6
    assert high == pytest.approx(1.0)
