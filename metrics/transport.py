"""Exact optimal transport between the segments of two answers, by POT."""

from collections.abc import Sequence


def transport_plan(cost: Sequence[Sequence[float]], a: Sequence[float], b: Sequence[float]) -> list[list[float]]:
    """The plan P >= 0 with row sums a and column sums b that minimises sum_ij P_ij C_ij.

    `cost` has m rows of n; `a` (m) and `b` (n) are positive and sum to one. Peyré and Cuturi, Computational Optimal
    Transport (2019), section 3. Solved by POT's network simplex; one segment on either side leaves no choice, and equal
    numbers of equal masses are an assignment problem (section 2.3), which scipy solves faster.

    >>> transport_plan([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.5], [0.5, 0.5])
    [[0.5, 0.0], [0.0, 0.5]]
    """
    if len(a) == 1 or len(b) == 1:
        return [[mass * share for share in b] for mass in a]
    if len(a) == len(b) and len({*a, *b}) == 1:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(cost)
        chosen = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        return [[a[i] if chosen[i] == j else 0.0 for j in range(len(b))] for i in range(len(a))]
    import numpy as np
    from ot.lp import emd

    plan: list[list[float]] = emd(np.array(a), np.array(b), np.array(cost), check_marginals=False).tolist()
    return plan
