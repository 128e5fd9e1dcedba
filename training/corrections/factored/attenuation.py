"""Attenuate the parts of an update outside of the safety subspace by their energy: the closed form of CSULoRA."""

from __future__ import annotations

import torch
from torch import Tensor

from holdfast.training.corrections.factored.factors import Correction
from holdfast.training.corrections.factored.splitting import Cores, Parts, Rank, recombined


def attenuated(
    parts: Parts,
    strength: float,
    *,
    signed: bool = False,
    per_direction: bool = False,
    separable: bool = False,
    rank: Rank = "keep",
) -> Correction:
    """One module's correction (see `csulora`). The parts don't depend on the strength: split once, sweep for free."""
    if parts.fixed:
        return recombined(parts, parts.cores, rank)
    aligned, left, right, off = parts.cores
    penalty = strength / parts.energy * parts.factors.scale**2  # of a core's squared norm
    kept = _kept_aligned(parts, penalty, per_direction=per_direction) if signed else aligned
    if separable:
        a_left, a_right = (1 / (1 + penalty * float(core.norm()) ** 2) for core in (left, right))
        cores: Cores = (kept, a_left * left, a_right * right, a_left * a_right * off)
    elif per_direction:
        cores = (kept, _by_direction(left, penalty), _by_direction(right, penalty), _by_direction(off, penalty))
    else:
        left, right, off = (core / (1 + penalty * float(core.norm()) ** 2) for core in (left, right, off))
        cores = (kept, left, right, off)
    return recombined(parts, cores, rank)


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


def _by_direction(core: Tensor, penalty: float) -> Tensor:
    u, values, vh = torch.linalg.svd(core, full_matrices=False)
    found: Tensor = (u * (values / (1 + penalty * values**2))) @ vh
    return found


def _kept_aligned(parts: Parts, penalty: float, *, per_direction: bool) -> Tensor:
    """F's core with the singular directions that oppose the alignment attenuated: by their energy together, or each by
    its own."""
    u, values, vh = torch.linalg.svd(parts.cores[0], full_matrices=False)
    along = ((u.T @ parts.aligning) * vh).sum(1)  # p_i^T D q_i
    opposing = along * parts.factors.scale < 0
    squares = values**2 if per_direction else values[opposing].pow(2).sum()
    found: Tensor = (u * torch.where(opposing, values / (1 + penalty * squares), values)) @ vh
    return found
