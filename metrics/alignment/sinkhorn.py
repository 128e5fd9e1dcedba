"""Entropic transport for gradients: batched, in the log domain, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


_NOTHING = -1e30
"""The log of no mass; finite, so that gradients are."""


def sinkhorn(cost: Tensor, a: Tensor, b: Tensor, *, epsilon: float = 0.05, iterations: int = 100) -> Tensor:
    """The plans P (B, m, n) that minimise sum_ij P_ij C_ij - epsilon_k H(P) under marginals a (B, m) and b (B, n).

    `epsilon` is relative: epsilon_k is that share of the median of the k-th problem's costs. Problems of unequal sizes
    are padded: a mass of zero marks a segment that is not there, and gets nothing. Always `iterations` rounds, so
    that a step takes the same time and gives the same bits every time; the row marginals are exact. Cuturi 2013; in the
    log domain, Peyré and Cuturi 2019, section 4.4. Differentiable in `cost`.
    """
    import torch

    there = (a > 0)[:, :, None] & (b > 0)[:, None, :]
    with torch.no_grad():
        scale = torch.stack([_median(c[mask]) for c, mask in zip(cost, there, strict=True)])
    kernel = (-cost / (epsilon * scale)[:, None, None]).masked_fill(~there, _NOTHING)
    log_a, log_b = a.clamp(min=1e-38).log(), b.clamp(min=1e-38).log()
    g = torch.zeros_like(b)
    f = torch.zeros_like(a)
    for _ in range(iterations):
        g = (log_b - (kernel + f[:, :, None]).logsumexp(1)).masked_fill(b == 0, 0.0)
        f = (log_a - (kernel + g[:, None, :]).logsumexp(2)).masked_fill(a == 0, 0.0)
    return (kernel + f[:, :, None] + g[:, None, :]).exp().masked_fill(~there, 0.0)


def _median(costs: Tensor) -> Tensor:
    """The median, or 1 where every cost is about nothing and any plan will do."""
    import torch

    median = costs.median() if costs.numel() else costs.new_tensor(1.0)
    return torch.where(median > 1e-6, median, torch.ones_like(median))
