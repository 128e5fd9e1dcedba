"""The two terms of S2R2 (arXiv 2605.01605): the worst segment drift under a perturbed prompt, and adapter stability.

What is not in the paper's abstract or in public reviews is this project's reconstruction, marked [own].
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
    """(k, d): the mean hidden state (t, d) over each token span."""
    return torch.stack([states[start:end].float().mean(0) for start, end in spans])


def segment_drifts(clean: Sequence[Tensor], perturbed: Sequence[Tensor], settings: S2R2) -> tuple[list[Tensor], float]:
    """The drifts of every pair's segments, clean side then perturbed (m + n), and the mean off-diagonal mass.

    `clean` and `perturbed` hold each answer's segment vectors, (m, d) and (n, d). Vectors are centred over the batch
    [own: raw states of language models all point one way], the clean side is under stop-gradient [own: or both
    collapse], the plan is made on detached costs, so that the gradient goes through the costs alone:
    d_i = sum_j P_ij C_ij / a_i with C = 1 - cos, columns likewise.
    """
    ours = [vectors.detach() for vectors in clean]
    centre = torch.cat(ours).mean(0) if settings.centred else torch.zeros_like(ours[0][0])
    costs = [(1 - _unit(u - centre) @ _unit(v - centre).T).clamp(min=0) for u, v in zip(ours, perturbed, strict=True)]
    drifts, off_diagonal = [], []
    for cost, plan in zip(costs, _plans([cost.detach() for cost in costs], settings), strict=True):
        moved = plan * cost
        drifts.append(torch.cat([moved.sum(1) * cost.shape[0], moved.sum(0) * cost.shape[1]]))
        diagonal = torch.diagonal(plan).sum() if plan.shape[0] == plan.shape[1] else plan.new_tensor(0.0)
        off_diagonal.append(1 - float(diagonal))
    return drifts, sum(off_diagonal) / len(off_diagonal)


def worst_mean(drifts: Tensor, rho: float) -> Tensor:
    """The mean of the worst ceil(rho K) of K drifts, of at least one."""
    return drifts.topk(max(1, math.ceil(rho * len(drifts)))).values.mean()


def semantic_loss(clean: Sequence[Tensor], perturbed: Sequence[Tensor], settings: S2R2) -> tuple[Tensor, float]:
    """L_sem, the mean over answers of their worst drifts, and the mean off-diagonal mass of their plans."""
    drifts, off_diagonal = segment_drifts(clean, perturbed, settings)
    return torch.stack([worst_mean(each, settings.rho) for each in drifts]).mean(), off_diagonal


def stability_loss(model: nn.Module, settings: S2R2) -> Tensor:
    """L_stab = sum over modules of s sqrt(||B||_F^2 + eta) sqrt(||A||_F^2 + eta).

    Smoothed, because the plain product has a 0/0 gradient at B = 0 [own]. Invariant under B -> cB, A -> A/c, which
    weight decay is not.
    """
    downs, ups, scales = [], [], []
    for name, module in model.named_modules():
        if not hasattr(module, "lora_A") or (settings.qk_only and name.rpartition(".")[2] not in _QUERY_AND_KEY):
            continue
        found: Any = module
        for adapter in found.active_adapters:
            if adapter in found.lora_A:
                downs.append(torch.linalg.vector_norm(found.lora_A[adapter].weight.float()))
                ups.append(torch.linalg.vector_norm(found.lora_B[adapter].weight.float()))
                scales.append(found.scaling[adapter])
    if not scales:
        raise UserError("s2r2: the model has no active LoRA adapter whose stability could be kept")
    down, up = ((torch.stack(norms).square() + settings.eta).sqrt() for norms in (downs, ups))
    return (down.new_tensor(scales) * up * down).sum()


def _plans(costs: Sequence[Tensor], settings: S2R2) -> list[Tensor]:
    """The plan of each cost (m, n) between equal masses; one Sinkhorn for all of them, padded."""
    if settings.transport == "exact":
        return [_exact(cost) for cost in costs]
    rows, columns = (max(cost.shape[side] for cost in costs) for side in (0, 1))
    cost = costs[0].new_zeros(len(costs), rows, columns)
    a, b = cost.new_zeros(len(costs), rows), cost.new_zeros(len(costs), columns)
    for i, each in enumerate(costs):
        m, n = each.shape
        cost[i, :m, :n], a[i, :m], b[i, :n] = each, 1 / m, 1 / n
    plans = sinkhorn(cost, a, b, epsilon=settings.epsilon, iterations=50)
    return [plan[: each.shape[0], : each.shape[1]] for plan, each in zip(plans, costs, strict=True)]


def _exact(cost: Tensor) -> Tensor:
    m, n = cost.shape
    return torch.from_numpy(transport_plan(cost.double().cpu().numpy(), np.full(m, 1 / m), np.full(n, 1 / n))).to(cost)


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=-1)
