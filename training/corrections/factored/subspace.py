"""The leading singular directions of a displacement, by a block Krylov method that stops when it has what was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.training.corrections.factored.factors import Directions

BLOCK = 64
"""Directions that are added at a time."""

EXACT_UP_TO = 512
"""Matrices whose smaller side is at most this are decomposed whole."""

GAIN = 4e-3
"""The search ends when another block would add less than this share to the energy that the wanted directions hold."""


def directions(
    displacement: Tensor, name: str, *, rank: int | None = None, energy: float | None = None, seed: int = 0
) -> Directions:
    """U (m, k), S, V (n, k) of D (m, n): k as given, or the smallest with sum_{i<=k} s_i^2 >= energy ||D||_F^2.

    A block Krylov space of D, started at random (Musco and Musco 2015), grows block by block: with orthonormal Q so
    far, Z = D^T Q and the next block is D Z_last made orthogonal to Q. ||Z||^2 is the energy within Q exactly, and
    ||D||^2 is known, so that the finder sees how much is missing. It converges on flat spectra too, where a sketch with
    a power iteration does not. Where it would hold more than half of all directions, the whole decomposition is cheaper
    and is made. The start comes from the seed and the module's name: neither order nor other modules matter.

    Raises UserError where D is not finite.
    """
    d = displacement
    norm = float(torch.linalg.vector_norm(d))
    if not norm < float("inf"):
        raise UserError(f"'{name}': the checkpoints hold weights that are no numbers (NaN or infinity)")
    if norm == 0:
        return Directions(d.new_zeros(len(d), 0), d.new_zeros(0), d.new_zeros(d.shape[1], 0), 0.0)
    count = _counting(rank, energy, norm**2)
    u, values, v = _decomposed(d, count, _start(d, name, seed))
    k = count(values)
    return Directions(u[:, :k].contiguous(), values[:k].contiguous(), v[:, :k].contiguous(), norm)


Count = Callable[[Tensor], int]
"""How many of these leading singular values are wanted; more than there are where they don't suffice."""


def random_directions(like: Directions, name: str, seed: int) -> Directions:
    """Orthonormal directions drawn uniformly, of the same shapes, from the seed and the module's name."""
    key = hashlib.blake2b(f"random subspace|{name}|{seed}".encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(key))
    u, v = (
        torch.linalg.qr(torch.randn(x.shape, generator=generator, dtype=x.dtype)).Q.to(x.device)
        for x in (like.u, like.v)
    )
    return Directions(u, like.values, v, like.norm)


def _counting(rank: int | None, energy: float | None, total: float) -> Count:
    if rank is not None:
        return lambda values: rank
    share = 0.9 if energy is None else energy

    def enough(values: Tensor) -> int:
        held = values.double().pow(2).cumsum(0)
        return int((held < share * total * (1 - 1e-6)).sum()) + 1

    return enough


def _decomposed(d: Tensor, count: Count, start: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """U, s and V of the Krylov space in which the wanted directions have settled, or of D itself."""
    most = min(d.shape) // 2 if min(d.shape) > EXACT_UP_TO else 0
    basis, images = d.new_zeros(len(d), 0), d.new_zeros(d.shape[1], 0)
    gram = d.new_zeros(0, 0)
    block, held_before, wanted_before = d @ start, 0.0, 0
    while basis.shape[1] + BLOCK <= most:
        for _ in range(2):  # once is not enough in floating point
            block = torch.linalg.qr(block - basis @ (basis.T @ block)).Q
        image = d.T @ block
        basis, images = torch.cat((basis, block), 1), torch.cat((images, image), 1)
        inner = images.T @ image
        gram = torch.cat((torch.cat((gram, inner[:-BLOCK]), 1), inner.T))
        values = torch.linalg.eigvalsh(gram.double()).flip(0).clamp(min=0).sqrt()
        wanted = count(values)
        if wanted > most:
            break
        held = float(values[:wanted].pow(2).sum())
        settled = held <= held_before * (1 + GAIN) and wanted >= wanted_before * (1 - 2 * GAIN)
        if settled and wanted <= len(values):
            p, r = torch.linalg.qr(images)
            u, values, vh = torch.linalg.svd(r.T, full_matrices=False)
            return basis @ u[:, :wanted], values[:wanted], p @ vh[:wanted].T
        held_before, wanted_before = held, wanted
        block = d @ image
    u, values, vh = torch.linalg.svd(d, full_matrices=False)
    return u, values, vh.T


def _start(d: Tensor, name: str, seed: int) -> Tensor:
    """Random directions (n, BLOCK), the same on every device."""
    key = int.from_bytes(hashlib.blake2b(f"subspace|{name}|{seed}".encode(), digest_size=7).digest())
    drawn = torch.randn(d.shape[1], BLOCK, generator=torch.Generator().manual_seed(key))
    return drawn.to(d.device, d.dtype)
