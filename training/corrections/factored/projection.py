"""SafeLoRA's projection of one module's update onto the column space of its displacement, on low-rank factors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from holdfast.training.corrections.factored.factors import Factors
from holdfast.training.corrections.factored.module_update import ModuleUpdate


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One module's C B (m, r) with C = D D^T / ||D||_F, and cos(C dW, dW)."""

    b: Tensor
    cosine: float


def project_update(module: ModuleUpdate) -> Projection:
    """Project one module's update; if alignment didn't change the module, the cosine is 1."""
    if module.directions.norm:
        return project_factors(module.factors, module.displacement())
    return Projection(module.factors.b, 1.0)


def project_factors(factors: Factors, displacement: Tensor) -> Projection:
    """Compute C B = D (D^T B) / ||D||_F, and the cosine from r x r Gram matrices: <CB A, B A> = <(CB)^T B, A A^T>.

    Up to rounding this equals the published form, which forms C (m, m).

    Args:
        factors: The update dW = s B A with A (r, n), B (m, r).
        displacement: D (m, n), not zero.

    Returns:
        C B (m, r) and cos(C dW, dW), which is 1 for an update of zero, since it needs no correction.
    """
    dtype = torch.promote_types(factors.b.dtype, displacement.dtype)
    d, b = displacement.to(dtype), factors.b.to(dtype)
    moved = d @ (d.T @ b) / d.norm()
    a, x, y = factors.a.double(), moved.double(), b.double()
    gram = a @ a.T
    inner, new, old = (float(((p.T @ q) * gram).sum()) for p, q in ((x, y), (x, x), (y, y)))
    size = (max(new, 0.0) * max(old, 0.0)) ** 0.5
    return Projection(moved, inner / size if size else 1.0)
