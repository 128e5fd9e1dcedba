"""Score intervals against the closed formulas, a brute-force optimum and simulation-free properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binomtest

from holdfast.harness.results.check.inference.score_interval import score_interval

Z = 1.959963984540054


def tango_statistic(n: int, lost: int, won: int, change: float) -> float:
    """Tango (1998), equations for the restricted estimate and the score statistic of won - lost, as printed there."""
    b, c = won, lost
    linear = -b - c + (2 * n - b + c) * change
    constant = -c * change * (1 - change)
    share = (np.sqrt(linear**2 - 8 * n * constant) - linear) / (4 * n)
    return float((b - c - n * change) / np.sqrt(n * (2 * share + change * (1 - change))))


def interval_of(observed: dict[float, int], low: float, high: float) -> tuple[float, float]:
    """The 95 % score interval of values with their counts, leaving out those never observed."""
    seen = {value: count for value, count in observed.items() if count}
    return score_interval(np.array([*seen]), np.array([*seen.values()], dtype=float), low, high, Z)


@pytest.mark.parametrize(
    ("n", "lost", "won"),
    [(50, 2, 12), (21, 7, 1), (44, 1, 0), (30, 0, 0), (160, 20, 40), (12, 0, 11), (500, 3, 1)],
)
def test_changes_of_one_give_tangos_interval(n: int, lost: int, won: int) -> None:
    low, high = interval_of({-1.0: lost, 0.0: n - lost - won, 1.0: won}, -1, 1)
    grid = np.linspace(-0.99995, 0.99995, 40_000)  # without 0, where no change at all has no variance
    accepted = [change for change in grid if abs(tango_statistic(n, lost, won, change)) <= Z]
    assert (low, high) == pytest.approx((accepted[0], accepted[-1]), abs=1e-4)


@pytest.mark.parametrize(("n", "right"), [(10, 10), (200, 0), (97, 3), (1000, 500)])
def test_zeros_and_ones_give_wilsons_interval(n: int, right: int) -> None:
    wilson = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert interval_of({0.0: n - right, 1.0: right}, 0, 1) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


def test_the_end_is_where_the_most_likely_distribution_is_rejected() -> None:
    """Against a general optimiser over all distributions on the values and the bounds."""
    values, counts = np.array([-0.3, 0.0, 0.1, 0.25]), np.array([2.0, 9.0, 3.0, 1.0])
    n, mean = counts.sum(), float(counts @ values / counts.sum())
    _, high = score_interval(values, counts, -0.5, 0.5, Z)
    support, observed = np.append(values, [-0.5, 0.5]), np.append(counts, [0.0, 0.0])
    found = minimize(
        lambda weights: -float(observed[:4] @ np.log(weights[:4])),
        np.full(6, 1 / 6),
        bounds=[(1e-9, 1)] * 4 + [(0, 1)] * 2,
        constraints=[
            {"type": "eq", "fun": lambda weights: weights.sum() - 1},
            {"type": "eq", "fun": lambda weights: weights @ support - high},
        ],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    variance = float(found.x @ (support - high) ** 2)
    assert np.sqrt(n) * (high - mean) / np.sqrt(variance) == pytest.approx(Z, abs=1e-3)


@given(
    st.lists(st.floats(0, 1).map(lambda value: round(value, 6)), min_size=2, max_size=40),
    st.floats(0.5, 6),
    st.floats(-3, 3),
    st.floats(0.1, 5),
)
def test_intervals_hold_the_mean_and_move_with_the_values(
    drawn: list[float], quantile: float, shift: float, scale: float
) -> None:
    values, counts = np.unique(drawn, return_counts=True)
    mean = float(np.mean(drawn))
    low, high = score_interval(values, counts.astype(float), 0, 1, quantile)
    assert -1e-9 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1 + 1e-9
    mirrored = score_interval(np.sort(1 - values), counts[::-1].astype(float), 0, 1, quantile)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-6)
    moved = score_interval(shift + scale * values, counts.astype(float), shift, shift + scale, quantile)
    assert moved == pytest.approx((shift + scale * low, shift + scale * high), abs=1e-5 * scale)
    wider = score_interval(values, counts.astype(float), 0, 1, quantile + 0.5)
    assert wider[0] <= low + 1e-7
    assert high <= wider[1] + 1e-7
