"""CSULoRA (arXiv 2605.30640): an update's parts outside of the safety subspace, attenuated by their energy."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.training.corrections.factors import Correction, Directions, Factors, matched
from holdfast.training.corrections.splitting import Cores, Parts, Rank, recombined, split


def csulora(
    adapter: Mapping[str, Factors],
    subspace: Mapping[str, Directions],
    *,
    strength: float = 1.0,
    signed: bool = False,
    per_direction: bool = False,
    separable: bool = False,
    rank: Rank = "keep",
) -> dict[str, Correction]:
    """Correct every module of an adapter; raises UserError where adapter and subspace don't belong together, and for
    `per_direction` with `separable`, which exclude each other.

    For dW = F + L + R + O (see Components), with energies E_c and their sum E, the update is the minimiser

        X* = argmin_X 1/2 ||X - dW||^2 + sum_c lambda_c / 2 ||X_c||^2,   lambda_c = strength E_c / E  for L, R, O

    that is X* = F + a_L L + a_R R + a_O O with a_c = 1 / (1 + lambda_c) [own: the paper's abstract says that the
    problem is closed-form, penalised and smooth in relative energy].

    `signed` [own] attenuates the opposing part of F likewise: its singular directions p, q with p^T D q < 0, along
    which the update undoes what alignment did. Without it the method is blind to the sign.
    `per_direction` [own] penalises each singular direction of a part by its own energy instead of the part's.
    `separable` [own] sets a_O = a_L a_R, so that X* = s (B_par + a_R B_perp)(A_par + a_L A_perp) has exactly rank r.
    `rank` says at which rank the result is returned (see Rank); what cutting it cost is in the account.

    >>> directions = Directions(torch.eye(4)[:, :1], torch.ones(1), torch.eye(4)[:, :1], norm=1.0)
    >>> update = Factors(a=torch.ones(1, 4), b=torch.eye(4)[:, 1:2])
    >>> found = csulora({"layer": update}, {"layer": directions}, strength=4.0)["layer"]
    >>> [round(energy, 3) for energy in found.energies]  # of F, L, R, O
    [0.0, 0.0, 1.0, 3.0]
    >>> found.factors.dense()[1]  # a_R = 1 / (1 + 4 / 4), a_O = 1 / (1 + 4 * 3 / 4)
    tensor([0.5000, 0.2500, 0.2500, 0.2500])
    """
    return {
        name: attenuated(
            split(factors, found),
            strength,
            signed=signed,
            per_direction=per_direction,
            separable=separable,
            rank=rank,
        )
        for name, factors, found in matched(adapter, subspace)
    }


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
    if per_direction and separable:
        raise UserError("csulora: per_direction and separable exclude each other: name one of them")
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
