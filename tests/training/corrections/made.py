"""Random updates and subspaces, and dense reference implementations of the corrections."""

import torch
from torch import Tensor

from holdfast.training.corrections import Directions, Factors


def make_update(
    m: int = 12, n: int = 9, r: int = 3, *, seed: int = 0, scale: float = 0.7, dtype: torch.dtype = torch.float64
) -> Factors:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in ((r, n), (m, r)))
    return Factors(a, b, scale)


def make_directions(
    m: int = 12, n: int = 9, k: int = 4, *, seed: int = 1, dtype: torch.dtype = torch.float64
) -> Directions:
    generator = torch.Generator().manual_seed(seed)
    d = torch.randn((m, n), generator=generator, dtype=torch.float64)
    u, values, vh = torch.linalg.svd(d, full_matrices=False)
    return Directions(u[:, :k].to(dtype), values[:k].to(dtype), vh[:k].T.to(dtype), float(d.norm()))


def dense_parts(update: Factors, found: Directions) -> list[Tensor]:
    """Return F, L, R, O computed with m x m and n x n projectors."""
    w = update.dense()
    p_u, p_v = found.u @ found.u.T, found.v @ found.v.T
    i_u, i_v = torch.eye(len(p_u), dtype=w.dtype), torch.eye(len(p_v), dtype=w.dtype)
    return [p_u @ w @ p_v, p_u @ w @ (i_v - p_v), (i_u - p_u) @ w @ p_v, (i_u - p_u) @ w @ (i_v - p_v)]


def dense_csulora(update: Factors, found: Directions, strength: float) -> Tensor:
    """Return X* = F + a_L L + a_R R + a_O O from m x n matrices."""
    aligned, *others = dense_parts(update, found)
    energy = update.dense().norm() ** 2
    corrected = aligned.clone()
    for part in others:
        corrected += part / (1 + strength * part.norm() ** 2 / energy)
    return corrected


def dense_safelora(update: Factors, displacement: Tensor) -> tuple[Tensor, float]:
    """Return C dW with C = D D^T / ||D||_F formed in full, and cos(C dW, dW), as the published code does."""
    w = update.dense()
    projected = (displacement @ displacement.T / displacement.norm()) @ w
    return projected, float(torch.nn.functional.cosine_similarity(projected.flatten(), w.flatten(), dim=0))
