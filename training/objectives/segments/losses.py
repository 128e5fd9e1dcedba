"""The two terms of S2R2 (arXiv 2605.01605): the worst segment drift under a perturbed prompt, and adapter stability.

Details beyond the paper's abstract and public reviews are this project's reconstruction, marked [own].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from holdfast.errors import UserError
from holdfast.metrics.alignment import transport_plan
from holdfast.metrics.alignment.sinkhorn import sinkhorn

if TYPE_CHECKING:
    from holdfast.training.objectives.segments.settings import S2R2

Span = tuple[int, int]

_QUERY_AND_KEY = ("q_proj", "k_proj", "query", "key", "q", "k")


def segment_means(states: Tensor, spans: Sequence[Span]) -> Tensor:
    """Return the mean of the hidden states (t, d) over each of k token spans: (k, d)."""
    return torch.stack([states[start:end].float().mean(0) for start, end in spans])


def segment_drifts(clean: Sequence[Tensor], perturbed: Sequence[Tensor], settings: S2R2) -> tuple[list[Tensor], float]:
    """Compute the drift of every segment: its mean transport cost d_i = sum_j P_ij C_ij / a_i with C = 1 - cos.

    Vectors are centred over the batch [own: raw hidden states all point in similar directions]. No gradient flows
    through the clean side [own: both would collapse], nor through the transport plan P, only through the costs.

    Args:
        clean: The segment vectors (m, d) of each answer to a clean prompt.
        perturbed: The segment vectors (n, d) of the answers to the perturbed prompts, in the same order.
        settings: Centring and the solver.

    Returns:
        The drifts (m + n) of each pair of answers, those of the clean segments first; and the plans' mass off the
        diagonal, averaged over pairs.
    """
    ours = [vectors.detach() for vectors in clean]
    centre = torch.cat(ours).mean(0) if settings.centred else torch.zeros_like(ours[0][0])
    costs = [
        (1 - _normalise(u - centre) @ _normalise(v - centre).T).clamp(min=0)
        for u, v in zip(ours, perturbed, strict=True)
    ]
    drifts, off_diagonal = [], []
    for cost, plan in zip(costs, _solve_plans([cost.detach() for cost in costs], settings), strict=True):
        moved = plan * cost
        drifts.append(torch.cat([moved.sum(1) * cost.shape[0], moved.sum(0) * cost.shape[1]]))
        diagonal = torch.diagonal(plan).sum() if plan.shape[0] == plan.shape[1] else plan.new_tensor(0.0)
        off_diagonal.append(1 - float(diagonal))
    return drifts, sum(off_diagonal) / len(off_diagonal)


def worst_mean(drifts: Tensor, rho: float) -> Tensor:
    """Return the mean of the largest ceil(rho K) of K drifts, but of at least one."""
    return drifts.topk(max(1, math.ceil(rho * len(drifts)))).values.mean()


def semantic_loss(clean: Sequence[Tensor], perturbed: Sequence[Tensor], settings: S2R2) -> tuple[Tensor, float]:
    """Return L_sem, the mean over answers of their worst drifts, and the plans' mean off-diagonal mass.

    Args:
        clean: As in `segment_drifts`.
        perturbed: As in `segment_drifts`.
        settings: Centring, solver and `rho`.
    """
    drifts, off_diagonal = segment_drifts(clean, perturbed, settings)
    return torch.stack([worst_mean(each, settings.rho) for each in drifts]).mean(), off_diagonal


def stability_loss(model: nn.Module, settings: S2R2) -> Tensor:
    """Return L_stab = sum over modules of s sqrt(||B||_F^2 + eta) sqrt(||A||_F^2 + eta).

    It is smoothed because the plain product has a 0/0 gradient at B = 0 [own]. Up to eta it is invariant under B -> cB,
    A -> A/c, which weight decay is not.

    Raises:
        UserError: If the model has no active LoRA adapter.
    """
    downs, ups, scales = [], [], []
    for name, module in model.named_modules():
        if not hasattr(module, "lora_A") or (settings.qk_only and name.rpartition(".")[2] not in _QUERY_AND_KEY):
            continue
        found: Any = module
        for adapter in found.active_adapters:
            if adapter in found.lora_A:
                down, up = found.lora_A[adapter].weight, found.lora_B[adapter].weight
            elif adapter in found.lora_embedding_A:
                down, up = found.lora_embedding_A[adapter], found.lora_embedding_B[adapter]
            else:
                continue
            downs.append(torch.linalg.vector_norm(down.float()))
            ups.append(torch.linalg.vector_norm(up.float()))
            scales.append(found.scaling[adapter])
    if not scales:
        raise UserError("s2r2: the stability term needs an active LoRA adapter, and the model has none")
    down, up = ((torch.stack(norms).square() + settings.eta).sqrt() for norms in (downs, ups))
    return (down.new_tensor(scales) * up * down).sum()


def _solve_plans(costs: Sequence[Tensor], settings: S2R2) -> list[Tensor]:
    """Solve for the plan of each cost matrix (m, n) with uniform masses; Sinkhorn runs once on all of them, padded."""
    if settings.transport == "exact":
        return [_solve_exactly(cost) for cost in costs]
    rows, columns = (max(cost.shape[side] for cost in costs) for side in (0, 1))
    cost = costs[0].new_zeros(len(costs), rows, columns)
    a, b = cost.new_zeros(len(costs), rows), cost.new_zeros(len(costs), columns)
    for i, each in enumerate(costs):
        m, n = each.shape
        cost[i, :m, :n], a[i, :m], b[i, :n] = each, 1 / m, 1 / n
    plans = sinkhorn(cost, a, b, epsilon=settings.epsilon, iterations=50)
    return [plan[: each.shape[0], : each.shape[1]] for plan, each in zip(plans, costs, strict=True)]


def _solve_exactly(cost: Tensor) -> Tensor:
    m, n = cost.shape
    return torch.from_numpy(transport_plan(cost.double().cpu().numpy(), np.full(m, 1 / m), np.full(n, 1 / n))).to(cost)


def _normalise(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=-1)
