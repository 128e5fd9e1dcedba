"""Exact optimal transport between the segments of two answers, by POT."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def transport_plan(cost: Array, a: Array, b: Array) -> Array:
    """The plan P >= 0 with row sums a and column sums b that minimises sum_ij P_ij C_ij.

    `cost` is (m, n); `a` (m,) and `b` (n,) are positive and sum to one. Peyré and Cuturi, Computational Optimal
    Transport (2019), section 3. Solved by POT's network simplex; one segment on either side leaves no choice, and equal
    numbers of equal masses are an assignment problem (section 2.3), which scipy solves faster.

    >>> transport_plan(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.5, 0.5]), np.array([0.5, 0.5])).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    if 1 in cost.shape:
        plan: Array = a[:, None] * b[None, :]
        return plan
    if len(a) == len(b) and np.ptp(a) == 0 and np.ptp(b) == 0:
        from scipy.optimize import linear_sum_assignment

        assigned = np.zeros_like(cost)
        assigned[linear_sum_assignment(cost)] = a[0]
        return assigned
    from ot.lp import emd

    solved: Array = emd(a, b, np.ascontiguousarray(cost), check_marginals=False)
    return solved
