"""The transport plan against plain linear programming."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from holdfast.metrics.alignment import transport_plan


def cheapest(cost, a, b) -> float:
    """The slow, obvious form: the linear programme itself."""
    m, n = cost.shape
    rows = np.kron(np.eye(m), np.ones(n))
    columns = np.kron(np.ones(m), np.eye(n))
    return linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b])).fun


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000), st.booleans())
def test_the_plan_has_its_marginals_and_costs_no_more_than_it_must(m: int, n: int, seed: int, uniform: bool) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.random((m, n))
    a, b = (np.ones(m), np.ones(n)) if uniform else (rng.integers(1, 6, m), rng.integers(1, 6, n))
    a, b = a / a.sum(), b / b.sum()
    plan = transport_plan(cost, a, b)
    assert plan.sum(1) == pytest.approx(a, abs=1e-6)
    assert plan.sum(0) == pytest.approx(b, abs=1e-6)
    assert (plan >= 0).all()
    assert (plan * cost).sum() == pytest.approx(cheapest(cost, a, b), abs=1e-6)
