"""Attenuation of the parts of an update outside the safety subspace by their energy: CSULoRA's closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from holdfast.training.corrections.factored.factors import Correction
from holdfast.training.corrections.factored.splitting import Cores, Parts, Rank, recombine


def attenuate(
    parts: Parts,
    strength: float,
    *,
    opposing: float = 0.0,
    per_direction: bool = False,
    separable: bool = False,
    rank: Rank = "keep",
) -> Correction:
    """Return one module's correction; see `csulora` for the options, of which `opposing` is its signed_strength.

    The parts don't depend on the strength, so that a sweep over strengths splits each update once.
    """
    if parts.is_fixed:
        return recombine(parts, parts.cores, rank)
    aligned, left, right, off = parts.cores
    penalty = strength / parts.energy * parts.factors.scale**2  # of a core's squared norm
    kept = _attenuate_opposing(parts, opposing) if opposing else aligned
    if separable:
        a_left, a_right = (1 / (1 + penalty * float(core.norm()) ** 2) for core in (left, right))
        cores: Cores = (kept, a_left * left, a_right * right, a_left * a_right * off)
    elif per_direction:
        cores = (kept, _per_direction(left, penalty), _per_direction(right, penalty), _per_direction(off, penalty))
    else:
        left, right, off = (core / (1 + penalty * float(core.norm()) ** 2) for core in (left, right, off))
        cores = (kept, left, right, off)
    return recombine(parts, cores, rank)


def scale_down(parts: Parts, strength: float) -> Correction:
    """Return one module's update scaled down to CSULoRA's distance (see `shrink`)."""
    factor = 1 - attenuate(parts, strength).relative_distance
    first, second, third, fourth = parts.cores
    return recombine(parts, (factor * first, factor * second, factor * third, factor * fourth), "keep")


def keep_aligned(parts: Parts) -> Correction:
    """Return one module's aligned part F alone (see `project`)."""
    aligned, *others = parts.cores
    left, right, off = (torch.zeros_like(core) for core in others)
    return recombine(parts, (aligned, left, right, off), "keep")


def _per_direction(core: Tensor, penalty: float) -> Tensor:
    """Attenuate each singular direction of a core by its own energy."""
    u, values, vh = torch.linalg.svd(core, full_matrices=False)
    found: Tensor = (u * (values / (1 + penalty * values**2))) @ vh
    return found


def _attenuate_opposing(parts: Parts, penalty: float) -> Tensor:
    """Attenuate the singular directions of F's core that oppose the alignment, all by the same factor."""
    u, values, vh = torch.linalg.svd(parts.cores[0], full_matrices=False)
    along = ((u.T @ parts.alignment_core) * vh).sum(1)  # p_i^T D q_i
    opposes = along * parts.factors.scale < 0
    found: Tensor = (u * torch.where(opposes, values / (1 + penalty), values)) @ vh
    return found
