"""Estimates of differences and means: weights, intervals, and where there is none."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm, t

from holdfast.harness.results.check.inference.differences import Pairs, difference, mean
from holdfast.harness.results.check.inference.score_interval import score_interval


def drifts(seed: int, samples: int, rows: int, share: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.beta(1, 4, samples * rows) * (rng.random(samples * rows) < share)


def test_each_sample_weighs_the_same_however_many_rows_it_has() -> None:
    old, new = np.zeros(6), np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.5])
    found = difference(Pairs(old, new, np.array([1, 1, 1, 1, 2, 2])))
    assert found.value == pytest.approx((1.0 + 0.25) / 2)
    assert (found.n, found.clusters) == (6, 2)


def test_rows_repeated_within_samples_add_no_certainty() -> None:
    old, new, of = drifts(1, 60, 1), drifts(2, 60, 1), np.arange(60)
    once = difference(Pairs(old, new, of))
    eight = difference(Pairs(np.repeat(old, 8), np.repeat(new, 8), np.repeat(of, 8)))
    assert eight.interval(0.95) == pytest.approx(once.interval(0.95))
    assert eight.se == pytest.approx(once.se)


def test_swapping_old_and_new_mirrors_the_interval() -> None:
    old, new, of = drifts(1, 40, 3), drifts(2, 40, 3), np.repeat(np.arange(40), 3)
    low, high = difference(Pairs(old, new, of)).interval(0.9)
    assert difference(Pairs(new, old, of)).interval(0.9) == pytest.approx((-high, -low))


def test_many_samples_give_the_interval_of_the_t_test() -> None:
    old, new, of = drifts(1, 20_000, 2), drifts(2, 20_000, 2), np.repeat(np.arange(20_000), 2)
    found = difference(Pairs(old, new, of))
    changes = (new - old).reshape(-1, 2).mean(axis=1)
    se = changes.std(ddof=1) / np.sqrt(20_000)
    wanted = t.interval(0.95, 19_999, changes.mean(), se)
    assert found.interval(0.95) == pytest.approx(wanted, abs=0.01 * se)
    assert found.se == pytest.approx(se)


@pytest.mark.parametrize(("samples", "right"), [(200, 200), (200, 0), (97, 3), (1000, 500)])
def test_a_proportion_has_the_exact_interval(samples: int, right: int) -> None:
    exact = binomtest(right, samples).proportion_ci(0.9, method="exact")
    found = mean((np.arange(samples) < right).astype(float), np.arange(samples))
    assert found.interval(0.9) == pytest.approx((exact.low, exact.high))
    assert found.method == "Clopper-Pearson"


def test_rows_of_a_sample_at_the_ceiling_count_once() -> None:
    clustered = mean(np.ones(200), np.repeat(np.arange(25), 8))
    assert clustered.interval(0.95) == pytest.approx(mean(np.ones(25), np.arange(25)).interval(0.95))


def test_rows_of_a_sample_widen_the_interval_of_a_share() -> None:
    rng = np.random.default_rng(3)
    right = np.repeat((rng.random(100) < 0.8).astype(float), 4)
    right[rng.integers(0, 400, 30)] = 0.0
    low, high = mean(right, np.repeat(np.arange(100), 4)).interval(0.95)
    exact = binomtest(round(right.sum()), 400).proportion_ci(0.95)
    assert high - low > 1.4 * (exact.high - exact.low)


def test_a_mean_has_ends_a_quarter_of_the_way_from_the_score_intervals_to_walds() -> None:
    values = drifts(5, 80, 1, share=0.3)
    score = score_interval(values, np.ones(80), 0.0, min(2 * values.max(), 1.0), norm.ppf(0.975))
    wald = norm.interval(0.95, values.mean(), values.std() / np.sqrt(80))
    low, high = mean(values, np.arange(80)).interval(0.95)
    assert (low, high) == pytest.approx([0.75 * a + 0.25 * b for a, b in zip(score, wald, strict=True)])
    assert mean(1 - values, np.arange(80)).interval(0.95) == pytest.approx((1 - high, 1 - low))


def test_no_change_at_all_is_not_certainty() -> None:
    same = drifts(1, 50, 4)
    found = difference(Pairs(same, same, np.repeat(np.arange(50), 4)))
    wilson = binomtest(0, 50).proportion_ci(0.95, method="wilson")
    assert found.interval(0.95) == pytest.approx((-wilson.high, wilson.high))
    assert found.se > 0


def test_rounding_of_equal_sums_is_no_change() -> None:
    old = np.tile([0.1, 0.2, 0.3], 50)
    new = np.tile([0.3, 0.1, 0.2], 50)
    found = difference(Pairs(old, new, np.repeat(np.arange(50), 3)))
    assert found.interval(0.95) == difference(Pairs(old, old, np.repeat(np.arange(50), 3))).interval(0.95)


def test_a_few_changes_may_hide_a_large_one() -> None:
    old = np.zeros(100)
    few, many = old.copy(), old.copy()
    few[:7], many[:8] = 0.1, 0.1
    many[0] = 0.11
    of = np.arange(100)
    assert difference(Pairs(old, few, of)).interval(0.95)[1] > 0.04
    assert difference(Pairs(old, many, of)).interval(0.95)[1] < 0.03


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ([], [], "no samples"),
        ([0.0] * 9, [1.0] * 9, "9 independent samples, fewer than 10"),
        ([3.0] * 20, [3.0] * 20, "no variation between samples"),
        ([3.0] * 20, [7.0] * 20, "no variation between samples"),
        ([3.0] * 20, [4.0] + [3.0] * 19, "1 of 20 samples differ, too few for a metric without bounds"),
    ],
)
def test_a_problem_is_said_instead_of_an_interval(old: list[float], new: list[float], problem: str) -> None:
    found = difference(Pairs(np.array(old), np.array(new), np.arange(len(old))))
    assert found.problem == problem
    assert all(isnan(end) for end in found.interval(0.95))
    assert isnan(found.se)


def test_the_same_change_everywhere_is_not_certainty() -> None:
    found = difference(Pairs(np.full(50, 0.2), np.full(50, 0.3), np.arange(50)))
    low, high = found.interval(0.95)
    assert low < 0.05
    assert high > 0.12


def test_metrics_without_bounds_have_intervals() -> None:
    rng = np.random.default_rng(0)
    old = rng.poisson(60, 100).astype(float)
    new = old + rng.integers(-5, 6, 100)
    low, high = difference(Pairs(old, new, np.arange(100))).interval(0.95)
    assert low < float((new - old).mean()) < high
    assert high - low < 2


@pytest.mark.parametrize(
    ("old", "new"), [([1.0], [1.0, 0.0]), ([float("nan"), 0.0], [0.0, 0.0]), ([0.0, 0.0], [0.0, float("inf")])]
)
def test_pairs_must_be_complete(old: list[float], new: list[float]) -> None:
    with pytest.raises(ValueError, match="pairs must not contain|new values of"):
        Pairs(np.array(old), np.array(new), np.arange(len(old)))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 15)), min_size=1, max_size=80),
    st.floats(0.5, 0.9999),
)
def test_intervals_hold_the_estimate_and_nest(rows: list[tuple[float, float, int]], confidence: float) -> None:
    old, new, of = (np.array(column) for column in zip(*rows, strict=True))
    for found in (difference(Pairs(old, new, of)), mean(new, of)):
        if found.problem:
            continue
        low, high = found.interval(confidence)
        wider = found.interval(1 - (1 - confidence) / 4)
        assert wider[0] - 1e-7 <= low <= found.value + 1e-9 <= high + 2e-9
        assert high <= wider[1] + 1e-7
        assert found.se > 0


@pytest.mark.parametrize(("samples", "rows", "share"), [(20, 1, 0.5), (50, 4, 0.2), (200, 1, 0.05), (200, 8, 0.05)])
def test_intervals_cover_the_true_change(samples: int, rows: int, share: float) -> None:
    of = np.repeat(np.arange(samples), rows)
    covered = 0
    for seed in range(400):
        old, new = drifts(2 * seed, samples, rows, share), drifts(2 * seed + 1, samples, rows, share)
        low, high = difference(Pairs(old, new, of)).interval(0.95)
        covered += low <= 0 <= high
    assert covered >= 0.92 * 400
