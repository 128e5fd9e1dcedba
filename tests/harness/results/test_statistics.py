"""Confidence intervals have the promised coverage."""

import numpy as np
import pytest

from holdfast.harness.results.statistics import clearly_positive, mean_intervals, proportion_interval


def test_the_bootstrap_covers_the_mean_about_95_percent_of_times() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(40):
        low, high = mean_intervals(rng.normal(0.3, 0.2, size=(60, 5)))
        covered += int(((low <= 0.3) & (high >= 0.3)).sum())
    assert 0.88 <= covered / 200 <= 0.99


def test_few_values_and_constants_have_no_interval() -> None:
    column = np.array([0.5, 0.7, 0.5, 0.7, 0.6, np.nan])
    few = np.array([0.5, 0.7, 0.5, 0.7, np.nan, np.nan])
    low, high = mean_intervals(np.column_stack([np.ones(6), np.full(6, np.nan), few, column]))
    assert np.isnan(low[:3]).all()
    assert np.isnan(high[:3]).all()
    assert 0.5 <= low[3] < 0.6 < high[3] <= 0.7


def test_only_a_difference_whose_interval_is_above_zero_is_clear() -> None:
    assert clearly_positive(np.array([0.1, 0.3, 0.2, 0.1, 0.4, np.nan]))
    assert not clearly_positive(np.array([0.1, 0.3, 0.2, 0.1, np.nan]))  # four samples
    assert not clearly_positive(np.array([0.9, -0.5, 0.4, -0.6, 0.1, -0.3]))
    assert not clearly_positive(np.zeros(50))


def test_a_perfect_score_on_few_samples_is_uncertain() -> None:
    low, high = proportion_interval([1.0] * 5)
    assert low < 0.6
    assert high == pytest.approx(1.0)
