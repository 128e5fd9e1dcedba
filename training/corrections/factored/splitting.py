"""Splits an update into its parts within and outside a subspace, and recombines them, on r x r cores.

With thin QR factors B_par = Q_1 R_1, B_perp = Q_2 R_2, A_par^T = P_1 T_1, A_perp^T = P_2 T_2 the four parts of
dW = s B A are s Q_i (R_i T_j^T) P_j^T. Their norms, inner products and singular values are those of the small
cores R_i T_j^T; no m x n or m x m matrix is ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from holdfast.training.corrections.factored.factors import Components, Correction, Directions, Factors

Rank = Literal["keep", "exact"] | int
"""`keep` truncates the corrected update to its original rank; `exact` does not (at most twice that rank)."""

Cores = tuple[Tensor, Tensor, Tensor, Tensor]
"""The cores of F, L, R, O (see Components): (p, q), (p, q'), (p', q), (p', q') with p, q, p', q' <= r, in float64."""


@dataclass(frozen=True)
class Parts:
    """An update in orthonormal bases within and outside a subspace.

    `left` holds Q_1 (m, p) within the span of U and Q_2 (m, p') outside it; `right` holds P_1 (n, q) and P_2 (n, q')
    for the span of V.
    """

    factors: Factors
    directions: Directions
    left: tuple[Tensor, Tensor]
    right: tuple[Tensor, Tensor]
    cores: Cores

    @cached_property
    def energies(self) -> Components:
        """The squared Frobenius norms of the four parts of dW."""
        return Components(*((self.factors.scale * float(core.norm())) ** 2 for core in self.cores))

    @property
    def energy(self) -> float:
        """||dW||_F^2."""
        return sum(self.energies)

    @property
    def is_fixed(self) -> bool:
        """Whether corrections leave the module unchanged: its update is zero, or alignment didn't change it."""
        return self.energy == 0 or self.directions.rank == 0

    @cached_property
    def alignment_core(self) -> Tensor:
        """Q_1^T D P_1 (p, q): the displacement in the bases of F."""
        found, (left, right) = self.directions, (self.left[0], self.right[0])
        u, v = left.T @ found.u.to(left.dtype), right.T @ found.v.to(right.dtype)
        return (u.double() * found.values.double()) @ v.double().T

    @cached_property
    def sign_cosine(self) -> float:
        """cos(U^T dW V, S); 0 if either is 0."""
        size = float(self.cores[0].norm()) * float(self.directions.values.norm())
        return float((self.cores[0] * self.alignment_core).sum()) * _sign(self.factors.scale) / size if size else 0.0


def split(factors: Factors, directions: Directions) -> Parts:
    """Split s B A by P_U = U U^T and P_V = V V^T.

    It computes in float32, or in the precision of the factors or directions if that is higher.
    """
    dtype = torch.promote_types(torch.promote_types(factors.a.dtype, directions.u.dtype), torch.float32)
    b, a = factors.b.to(dtype), factors.a.to(dtype)
    left, (r_1, r_2) = _split_columns(b, directions.u.to(dtype))
    right, (t_1, t_2) = _split_columns(a.T, directions.v.to(dtype))
    r_1, r_2, t_1, t_2 = (factor.double() for factor in (r_1, r_2, t_1, t_2))
    return Parts(factors, directions, left, right, (r_1 @ t_1.T, r_1 @ t_2.T, r_2 @ t_1.T, r_2 @ t_2.T))


def recombine(parts: Parts, cores: Cores, rank: Rank) -> Correction:
    """Put an update together from new cores.

    Args:
        parts: The split update; a fixed one is returned bit-identical.
        cores: The new cores of F, L, R, O.
        rank: The rank of the result, by truncated SVD of the 2r x 2r core, which is optimal.

    Returns:
        The corrected update and its report.
    """
    factors, scale = parts.factors, abs(parts.factors.scale)
    if parts.is_fixed:
        kept = Components(1.0, 1.0, 1.0, 1.0)
        return Correction(factors, parts.energies, kept, 0.0, 0.0, parts.sign_cosine)
    before, after = _block(parts.cores), _block(cores)
    u, values, vh = torch.linalg.svd(after, full_matrices=False)
    limit = rank if isinstance(rank, int) else factors.rank * (2 if rank == "exact" else 1)
    count = min(limit, len(values))
    roots, dtype = values[:count].sqrt(), parts.left[0].dtype
    b = torch.cat(parts.left, 1) @ (u[:, :count] * roots).to(dtype)
    a = (roots[:, None] * vh[:count]).to(dtype) @ torch.cat(parts.right, 1).T
    kept_core = (u[:, :count] * values[:count]) @ vh[:count]
    shares = (_norm_ratio(new, old) for new, old in zip(cores, parts.cores, strict=True))
    return Correction(
        replace(factors, a=a.contiguous(), b=b.contiguous()),
        parts.energies,
        Components(*shares),
        distance=scale * float((kept_core - before).norm()),
        recompression_error=scale * float(values[count:].norm()),
        sign_cosine=parts.sign_cosine,
    )


def _split_columns(x: Tensor, basis: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return thin QR factors of the part of x (m, r) in the span of an orthonormal basis (m, k), and of the rest."""
    small, r_1 = torch.linalg.qr(basis.T @ x)
    q_1 = basis @ small
    q_2, r_2 = torch.linalg.qr(torch.addmm(x, q_1, r_1, alpha=-1))
    return (q_1, q_2), (r_1, r_2)


def _block(cores: Cores) -> Tensor:
    return torch.cat((torch.cat(cores[:2], 1), torch.cat(cores[2:], 1)))


def _norm_ratio(new: Tensor, old: Tensor) -> float:
    size = float(old.norm())
    return float(new.norm()) / size if size else 1.0


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0
