"""Boundaries over several looks spend alpha as they should."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from holdfast.harness.results.check.inference.alpha_spending import look_boundaries, look_confidences

LOOKS = (0.25, 0.5, 0.75, 1.0)


def no_crossing(boundaries: list[float], fractions: tuple[float, ...]) -> float:
    """The chance to stay within all boundaries, by scipy's multivariate normal distribution."""
    shares = np.array(fractions)
    correlations = np.sqrt(np.minimum.outer(shares, shares) / np.maximum.outer(shares, shares))
    ends = np.array(boundaries)
    normal = multivariate_normal(np.zeros(len(ends)), correlations, abseps=1e-6, maxpts=100_000)
    return float(normal.cdf(ends, lower_limit=-ends))


def test_boundaries_are_the_published_ones() -> None:
    """As in the packages gsDesign and ldbounds for four looks at 0.025 a side."""
    assert look_boundaries(0.05) == pytest.approx([4.3326, 2.9631, 2.3590, 2.0141], abs=2e-4)


@pytest.mark.parametrize(("alpha", "fractions"), [(0.05, LOOKS), (0.2, (0.1, 1.0)), (0.01, (0.3, 0.35, 0.95, 1.0))])
def test_what_is_spent_by_each_look_is_the_spending_function(alpha: float, fractions: tuple[float, ...]) -> None:
    found = look_boundaries(alpha, fractions)
    for looks in (2, len(fractions)):
        spent = 4 * NormalDist().cdf(NormalDist().inv_cdf(alpha / 4) / np.sqrt(fractions[looks - 1]))
        assert 1 - no_crossing(found[:looks], fractions[:looks]) == pytest.approx(spent, abs=2e-5)


def test_one_look_is_the_plain_interval() -> None:
    assert look_confidences(0.05, [1.0]) == pytest.approx([0.95])


def test_early_looks_are_stricter() -> None:
    found = look_confidences(0.05)
    assert found == sorted(found, reverse=True)
    assert found[-1] > 0.95


def test_tiny_levels_have_boundaries() -> None:
    found = look_boundaries(1e-4)
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(NormalDist().inv_cdf(1 - 0.5e-4), abs=0.05)
