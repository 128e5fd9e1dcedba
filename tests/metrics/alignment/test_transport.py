"""The transport plan against a linear programme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from holdfast.metrics.alignment import transport_plan


def optimal_cost(cost, a, b) -> float:
    """Return the optimal cost by solving the linear programme directly."""
    m, n = cost.shape
    rows = np.kron(np.eye(m), np.ones(n))
    columns = np.kron(np.ones(m), np.eye(n))
    return linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b])).fun


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000), st.booleans())
def test_the_plan_is_feasible_and_optimal(m: int, n: int, seed: int, uniform: bool) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.random((m, n))
    a, b = (np.ones(m), np.ones(n)) if uniform else (rng.integers(1, 6, m), rng.integers(1, 6, n))
    a, b = a / a.sum(), b / b.sum()
    plan = transport_plan(cost, a, b)
    assert plan.sum(1) == pytest.approx(a, abs=1e-6)
    assert plan.sum(0) == pytest.approx(b, abs=1e-6)
    assert (plan >= 0).all()
    assert (plan * cost).sum() == pytest.approx(optimal_cost(cost, a, b), abs=1e-6)
