"""The leading singular directions of a displacement, by a block Krylov method with a stopping rule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.training.corrections.factored.factors import Directions

BLOCK = 64
"""The number of directions added at a time."""

EXACT_UP_TO = 512
"""Matrices whose smaller side is at most this get a full SVD."""

GAIN = 4e-3
"""The search stops once a block adds less than this fraction to the energy of the directions looked for."""


def find_directions(
    displacement: Tensor, name: str, *, rank: int | None = None, energy: float | None = None, seed: int = 0
) -> Directions:
    """Find the leading singular directions U (m, k), S (k), V (n, k) of a displacement D (m, n).

    A block Krylov space of D with a random start (Musco and Musco 2015) grows block by block: with the orthonormal
    basis Q so far, Z = D^T Q, and the next block is D Z_last orthogonalised against Q. ||Z||^2 is exactly the energy
    within Q, and ||D||^2 is known, so the missing energy is known too. The method also converges on flat spectra, where
    a randomised sketch with power iteration does not. If it needs more than half of all directions, it falls back to a
    full SVD, which is then cheaper. The random start depends on the seed and the module's name alone, so the result is
    the same for any order or selection of modules.

    Args:
        displacement: D (m, n), in floating point.
        name: The module's name.
        rank: The number of directions k, or all if there are fewer.
        energy: Instead of `rank`, in [0, 1]: the smallest k with sum_{i<=k} s_i^2 >= energy ||D||_F^2; 0.9 by default.
        seed: The seed of the random start.

    Returns:
        The directions and ||D||_F; no directions if D is zero.

    Raises:
        UserError: If D contains NaN or infinity.
    """
    d = displacement
    norm = float(torch.linalg.vector_norm(d))
    if not norm < float("inf"):
        raise UserError(f"'{name}': the checkpoints' weights contain NaN or infinity")
    if norm == 0:
        return Directions(d.new_zeros(len(d), 0), d.new_zeros(0), d.new_zeros(d.shape[1], 0), 0.0)
    count = _make_counter(rank, energy, norm**2)
    u, values, v = _decompose(d, count, _random_start(d, name, seed))
    k = count(values)
    return Directions(u[:, :k].contiguous(), values[:k].contiguous(), v[:, :k].contiguous(), norm)


Count = Callable[[Tensor], int]
"""Leading singular values -> how many directions are needed; more than their number if they don't suffice."""


def random_directions(like: Directions, name: str, seed: int) -> Directions:
    """Draw orthonormal directions uniformly at random.

    Args:
        like: The directions whose shapes, singular values and norm to copy.
        name: The module's name, which the draw depends on.
        seed: The seed of the draw.
    """
    key = hashlib.blake2b(f"random subspace|{name}|{seed}".encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(key))
    u, v = (
        torch.linalg.qr(torch.randn(x.shape, generator=generator, dtype=x.dtype)).Q.to(x.device)
        for x in (like.u, like.v)
    )
    return Directions(u, like.values, v, like.norm)


def _make_counter(rank: int | None, energy: float | None, total: float) -> Count:
    if rank is not None:
        return lambda values: rank
    fraction = 0.9 if energy is None else energy

    def count(values: Tensor) -> int:
        captured = values.double().pow(2).cumsum(0)
        return int((captured < fraction * total * (1 - 1e-6)).sum()) + 1

    return count


def _decompose(d: Tensor, count: Count, start: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, S and V from the Krylov space in which the needed directions have converged, or from a full SVD."""
    most = min(d.shape) // 2 if min(d.shape) > EXACT_UP_TO else 0
    basis, images = d.new_zeros(len(d), 0), d.new_zeros(d.shape[1], 0)
    gram = d.new_zeros(0, 0)
    block, energy_before, needed_before = d @ start, 0.0, 0
    while basis.shape[1] + BLOCK <= most:
        for _ in range(2):  # a second pass restores orthogonality lost to rounding
            block = torch.linalg.qr(block - basis @ (basis.T @ block)).Q
        image = d.T @ block
        basis, images = torch.cat((basis, block), 1), torch.cat((images, image), 1)
        inner = images.T @ image
        gram = torch.cat((torch.cat((gram, inner[:-BLOCK]), 1), inner.T))
        values = torch.linalg.eigvalsh(gram.double()).flip(0).clamp(min=0).sqrt()
        needed = count(values)
        if needed > most:
            break
        energy = float(values[:needed].pow(2).sum())
        converged = energy <= energy_before * (1 + GAIN) and needed >= needed_before * (1 - 2 * GAIN)
        if converged and needed <= len(values):
            p, r = torch.linalg.qr(images)
            u, values, vh = torch.linalg.svd(r.T, full_matrices=False)
            return basis @ u[:, :needed], values[:needed], p @ vh[:needed].T
        energy_before, needed_before = energy, needed
        block = d @ image
    u, values, vh = torch.linalg.svd(d, full_matrices=False)
    return u, values, vh.T


def _random_start(d: Tensor, name: str, seed: int) -> Tensor:
    """Draw random directions (n, BLOCK), the same on every device."""
    key = int.from_bytes(hashlib.blake2b(f"subspace|{name}|{seed}".encode(), digest_size=7).digest())
    drawn = torch.randn(d.shape[1], BLOCK, generator=torch.Generator().manual_seed(key))
    return drawn.to(d.device, d.dtype)
