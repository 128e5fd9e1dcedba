"""Norms and effective rank of an adapter's update, computed from its factors without forming the product."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Geometry:
    """The geometry of one module's update s B A.

    Attributes:
        a_norm: Frobenius norm of A.
        b_norm: Frobenius norm of B.
        norm: Frobenius norm of s B A.
        spectral_norm: Largest singular value of s B A.
        effective_rank: Exponential of the entropy of the normalised singular values (Roy and Vetterli 2007).
        rank: The number of rows of A.
    """

    a_norm: float
    b_norm: float
    norm: float
    spectral_norm: float
    effective_rank: float
    rank: int


def geometry_of(a: Tensor, b: Tensor, scale: float) -> Geometry:
    """Compute the geometry of the update s B A from the singular values of an r x r core.

    With QR factors B = Q_b R_b and A^T = Q_a R_a the update is Q_b (s R_b R_a^T) Q_a^T, so it has the same non-zero
    singular values as the core s R_b R_a^T.

    Args:
        a: The factor A (r, n).
        b: The factor B (m, r).
        scale: The scale s.
    """
    import torch

    a, b = a.detach().double(), b.detach().double()
    core = scale * torch.linalg.qr(b).R @ torch.linalg.qr(a.T).R.T
    values = torch.linalg.svdvals(core)
    norm = float(values.norm())
    shares = values[values > 0] / values.sum() if norm else values[:0]
    return Geometry(
        a_norm=float(a.norm()),
        b_norm=float(b.norm()),
        norm=norm,
        spectral_norm=float(values.max()) if len(values) else 0.0,
        effective_rank=float((-(shares * shares.log()).sum()).exp()) if len(shares) else 0.0,
        rank=len(a),
    )


def total(modules: Mapping[str, Geometry]) -> Geometry:
    """Return the geometry of the whole adapter, seen as one block-diagonal update.

    Squared norms add up, the spectral norm and rank are the largest of any module, and the effective rank is the mean
    weighted by squared norm.
    """

    def root(name: str) -> float:
        return math.sqrt(sum(getattr(each, name) ** 2 for each in modules.values()))

    weighed = sum(each.effective_rank * each.norm**2 for each in modules.values())
    energy = sum(each.norm**2 for each in modules.values())
    return Geometry(
        a_norm=root("a_norm"),
        b_norm=root("b_norm"),
        norm=root("norm"),
        spectral_norm=max((each.spectral_norm for each in modules.values()), default=0.0),
        effective_rank=weighed / energy if energy else 0.0,
        rank=max((each.rank for each in modules.values()), default=0),
    )
