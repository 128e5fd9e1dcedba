"""The controls of CSULoRA: does the direction matter, does this subspace, does the softness?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from holdfast.training.corrections.csulora import attenuated
from holdfast.training.corrections.factors import Correction, Directions, Factors, matched
from holdfast.training.corrections.splitting import Parts, Rank, recombined, split


def shrink(
    adapter: Mapping[str, Factors], subspace: Mapping[str, Directions], *, strength: float = 1.0
) -> dict[str, Correction]:
    """t dW, module by module as far from dW as CSULoRA goes at this strength: shrinking without direction."""
    return {name: shrunk(split(factors, found), strength) for name, factors, found in matched(adapter, subspace)}


def project(adapter: Mapping[str, Factors], subspace: Mapping[str, Directions]) -> dict[str, Correction]:
    """P_U dW P_V: CSULoRA's limit at infinite strength, of rank at most r."""
    return {name: projected(split(factors, found)) for name, factors, found in matched(adapter, subspace)}


def random_subspace(
    adapter: Mapping[str, Factors],
    subspace: Mapping[str, Directions],
    *,
    strength: float = 1.0,
    seed: int = 0,
    rank: Rank = "keep",
) -> dict[str, Correction]:
    """CSULoRA with random directions, as many as the subspace has in each module."""
    return {
        name: attenuated(split(factors, random_directions(found, name, seed)), strength, rank=rank)
        for name, factors, found in matched(adapter, subspace)
    }


def shrunk(parts: Parts, strength: float) -> Correction:
    """One module's update at CSULoRA's distance (see `shrink`)."""
    left = 1 - attenuated(parts, strength).relative_distance
    first, second, third, fourth = parts.cores
    return recombined(parts, (left * first, left * second, left * third, left * fourth), "keep")


def projected(parts: Parts) -> Correction:
    """One module's F alone (see `project`)."""
    aligned, *others = parts.cores
    left, right, off = (torch.zeros_like(core) for core in others)
    return recombined(parts, (aligned, left, right, off), "keep")


def random_directions(like: Directions, name: str, seed: int) -> Directions:
    """Orthonormal directions drawn uniformly, of the same shapes, from the seed and the module's name."""
    key = hashlib.blake2b(f"random subspace|{name}|{seed}".encode(), digest_size=7).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(key))
    u, v = (
        torch.linalg.qr(torch.randn(x.shape, generator=generator, dtype=x.dtype)).Q.to(x.device)
        for x in (like.u, like.v)
    )
    return Directions(u, like.values, v, like.norm)
