"""Differentiable entropic optimal transport in torch: batched, in the log domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


_NOTHING = -1e30
"""The log of zero mass; finite, so that gradients stay finite."""


def sinkhorn(cost: Tensor, a: Tensor, b: Tensor, *, epsilon: float = 0.05, iterations: int = 100) -> Tensor:
    """Compute the plans P (B, m, n) that minimise sum_ij P_ij C_ij - epsilon_k H(P) under marginals a and b.

    Differentiable in `cost`. The number of iterations is fixed, so that a step is deterministic and always takes the
    same time; the row marginals are exact. Cuturi 2013; in the log domain, Peyré and Cuturi 2019, section 4.4.

    Args:
        cost: The costs C (B, m, n).
        a: Row marginals (B, m). Smaller problems of a batch are padded with masses of zero, which receive nothing.
        b: Column marginals (B, n), padded likewise.
        epsilon: The regularisation, relative to the median cost: epsilon_k = epsilon * median(C_k).
        iterations: The number of Sinkhorn iterations.
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
    """Return the median cost, or 1 if the costs are practically zero and any plan will do."""
    import torch

    median = costs.median() if costs.numel() else costs.new_tensor(1.0)
    return torch.where(median > 1e-6, median, torch.ones_like(median))
