"""How the gradients of two terms of a loss compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def compare_gradients(model: nn.Module, task: Tensor, drift: Tensor) -> dict[str, float]:
    """Return the norms of the gradients of the task's and the drift's term, as weighted, and their cosine.

    A cosine below 0 means that what lowers one raises the other. It is left out if a gradient is zero. The graph is
    kept, and no `grad` is changed.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    first, second = (
        torch.cat(
            [
                (torch.zeros_like(parameter) if found is None else found).flatten().float()
                for parameter, found in zip(
                    trained, torch.autograd.grad(term, trained, retain_graph=True, allow_unused=True), strict=True
                )
            ]
        )
        for term in (task, drift)
    )
    norms = float(first.norm()), float(second.norm())
    found = {"task_gradient": norms[0], "drift_gradient": norms[1]}
    return found | ({"gradient_cosine": float(first @ second) / (norms[0] * norms[1])} if all(norms) else {})
