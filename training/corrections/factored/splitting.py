"""An update cut into what lies within a subspace and what does not, and put together again: all in r x r cores.

With thin QR factors B_par = Q_1 R_1, B_perp = Q_2 R_2, A_par^T = P_1 T_1, A_perp^T = P_2 T_2 the four parts of
dW = s B A are s Q_i (R_i T_j^T) P_j^T. Norms, inner products and singular values are those of the small cores
R_i T_j^T; nothing m x n or m x m is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from holdfast.training.corrections.factored.factors import Components, Correction, Directions, Factors

Rank = Literal["keep", "exact"] | int
"""`keep` cuts the corrected update to the rank it had, `exact` keeps all of it (at most twice that rank)."""

Cores = tuple[Tensor, Tensor, Tensor, Tensor]
"""Of F, L, R, O (see Components): (p, q), (p, q'), (p', q), (p', q') with p, q, p', q' <= r; small, so in float64."""


@dataclass(frozen=True)
class Parts:
    """An update in orthonormal bases within and outside of a subspace.

    `left` holds Q_1 (m, p) in the span of U and Q_2 (m, p') outside, `right` likewise P_1 (n, q), P_2 (n, q').
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
    def fixed(self) -> bool:
        """Whether there is nothing to correct: no update, or no displacement to correct it by."""
        return self.energy == 0 or self.directions.rank == 0

    @cached_property
    def aligning(self) -> Tensor:
        """Q_1^T D P_1 (p, q): what alignment did, in the bases of F."""
        found, (left, right) = self.directions, (self.left[0], self.right[0])
        u, v = left.T @ found.u.to(left.dtype), right.T @ found.v.to(right.dtype)
        return (u.double() * found.values.double()) @ v.double().T

    @cached_property
    def sign_cosine(self) -> float:
        """cos(U^T dW V, S); 0 where either is 0."""
        size = float(self.cores[0].norm()) * float(self.directions.values.norm())
        return float((self.cores[0] * self.aligning).sum()) * _sign(self.factors.scale) / size if size else 0.0


def split(factors: Factors, directions: Directions) -> Parts:
    """Cut s B A by P_U = U U^T and P_V = V V^T; in float32, or more where factors or directions are."""
    dtype = torch.promote_types(torch.promote_types(factors.a.dtype, directions.u.dtype), torch.float32)
    b, a = factors.b.to(dtype), factors.a.to(dtype)
    left, (r_1, r_2) = _cut(b, directions.u.to(dtype))
    right, (t_1, t_2) = _cut(a.T, directions.v.to(dtype))
    r_1, r_2, t_1, t_2 = (factor.double() for factor in (r_1, r_2, t_1, t_2))
    return Parts(factors, directions, left, right, (r_1 @ t_1.T, r_1 @ t_2.T, r_2 @ t_1.T, r_2 @ t_2.T))


def recombined(parts: Parts, cores: Cores, rank: Rank) -> Correction:
    """The update with these cores instead of its own, as factors of the rank asked for (by a truncated SVD of the
    2r x 2r core, which is optimal), and its account. What is fixed stays as it is, bit for bit."""
    factors, scale = parts.factors, abs(parts.factors.scale)
    if parts.fixed:
        kept = Components(1.0, 1.0, 1.0, 1.0)
        return Correction(factors, parts.energies, kept, 0.0, 0.0, parts.sign_cosine)
    before, after = _block(parts.cores), _block(cores)
    u, values, vh = torch.linalg.svd(after, full_matrices=False)
    wanted = rank if isinstance(rank, int) else factors.rank * (2 if rank == "exact" else 1)
    count = min(wanted, len(values))
    roots, dtype = values[:count].sqrt(), parts.left[0].dtype
    b = torch.cat(parts.left, 1) @ (u[:, :count] * roots).to(dtype)
    a = (roots[:, None] * vh[:count]).to(dtype) @ torch.cat(parts.right, 1).T
    saved = (u[:, :count] * values[:count]) @ vh[:count]
    shares = (_share(new, old) for new, old in zip(cores, parts.cores, strict=True))
    return Correction(
        replace(factors, a=a.contiguous(), b=b.contiguous()),
        parts.energies,
        Components(*shares),
        distance=scale * float((saved - before).norm()),
        recompression_error=scale * float(values[count:].norm()),
        sign_cosine=parts.sign_cosine,
    )


def _cut(x: Tensor, basis: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Thin QR factors of what of x (m, r) lies in the span of an orthonormal basis (m, k), and of the rest."""
    small, r_1 = torch.linalg.qr(basis.T @ x)
    q_1 = basis @ small
    q_2, r_2 = torch.linalg.qr(torch.addmm(x, q_1, r_1, alpha=-1))
    return (q_1, q_2), (r_1, r_2)


def _block(cores: Cores) -> Tensor:
    return torch.cat((torch.cat(cores[:2], 1), torch.cat(cores[2:], 1)))


def _share(new: Tensor, old: Tensor) -> float:
    size = float(old.norm())
    return float(new.norm()) / size if size else 1.0


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0
