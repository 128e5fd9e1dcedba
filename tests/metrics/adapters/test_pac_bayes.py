"""PAC-Bayes: the terms of the bound, and what tightens it."""

import pytest

from holdfast.metrics.adapters.pac_bayes import best_bound, complexity, maurer_bound, monte_carlo_bound


def test_complexity_is_squared_distance_over_twice_variance() -> None:
    assert complexity(16.0, 1.0) == 8.0
    assert complexity(0.0, 0.1) == 0.0


def test_the_bound_tightens_with_samples_and_never_exceeds_one() -> None:
    assert maurer_bound(0.1, 5.0, 1000) > maurer_bound(0.1, 5.0, 10_000) > 0.1
    assert maurer_bound(0.5, 1e6, 10) == 1.0


def test_few_draws_loosen_the_bound_on_the_risk() -> None:
    assert monte_carlo_bound([0.2] * 10, 0.05) > monte_carlo_bound([0.2] * 1000, 0.05) > 0.2


def test_the_best_scale_trades_risk_against_complexity() -> None:
    found = best_bound(lambda sigma: [min(1.0, sigma)] * 500, 1.0, 10_000, (0.01, 0.1, 0.9))
    assert found.sigma == 0.1
    assert found.kl == pytest.approx(50.0)
    assert found.risk < found.bound < 1


def test_trying_more_scales_loosens_the_bound() -> None:
    one = best_bound(lambda sigma: [0.1] * 500, 1.0, 10_000, (0.1,))
    many = best_bound(lambda sigma: [0.1] * 500, 1.0, 10_000, (0.1, 0.1, 0.1))
    assert many.bound > one.bound
