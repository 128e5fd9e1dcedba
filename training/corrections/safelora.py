"""SafeLoRA (Hsu et al., NeurIPS 2024): updates that leave the alignment's column space are projected onto it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from holdfast.training.corrections.factors import Components, Correction, Directions, Factors, matched, partner
from holdfast.training.corrections.splitting import split


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One module's C B (m, r) with C = D D^T / ||D||_F, and cos(C dW, dW)."""

    b: Tensor
    cosine: float


def safelora(
    adapter: Mapping[str, Factors],
    displacements: Mapping[str, Tensor],
    subspace: Mapping[str, Directions],
    *,
    threshold: float = 0.35,
    number: int | None = None,
) -> dict[str, Correction]:
    """Replace dW by C dW where cos(C dW, dW) <= threshold, or in the `number` modules where it is lowest [code];
    with those that tie with the last of them, more than `number`.

    C = D D^T / ||D||_F is no projection (it is not idempotent and grows with D); it is what the published code uses.
    `displacements` gives D (m, n) by the subspace's name of each module, and may read it when asked; the subspace is
    only measured against, for the account.
    """
    projections = dict(projected_factors(adapter, displacements, subspace))
    if number is not None:
        lowest = sorted(each.cosine for each in projections.values())[:number]
        threshold = lowest[-1] if lowest else -2.0
    return {
        name: _correction(factors, found, projections[name], projections[name].cosine <= threshold)
        for name, factors, found in matched(adapter, subspace)
    }


def projected_factors(
    adapter: Mapping[str, Factors], displacements: Mapping[str, Tensor], subspace: Mapping[str, Directions]
) -> Iterator[tuple[str, Projection]]:
    """Every module's C B, one displacement at a time."""
    for name, factors, found in matched(adapter, subspace):
        if found.norm:
            yield name, projection(factors, displacements[partner(name, subspace)])
        else:
            yield name, Projection(factors.b, 1.0)


def projection(factors: Factors, displacement: Tensor) -> Projection:
    """C B = D (D^T B) / ||D||_F, and the cosine from r x r Gram matrices: <CB A, B A> = <(CB)^T B, A A^T>.

    Equal to the published form, which makes C (m, m), to rounding. An update of 0 has the cosine 1: nothing to mend.
    """
    dtype = torch.promote_types(factors.b.dtype, displacement.dtype)
    d, b = displacement.to(dtype), factors.b.to(dtype)
    moved = d @ (d.T @ b) / d.norm()
    a, x, y = factors.a.double(), moved.double(), b.double()
    gram = a @ a.T
    inner, new, old = (float(((p.T @ q) * gram).sum()) for p, q in ((x, y), (x, x), (y, y)))
    size = (max(new, 0.0) * max(old, 0.0)) ** 0.5
    return Projection(moved, inner / size if size else 1.0)


def _correction(factors: Factors, directions: Directions, found: Projection, replaced: bool) -> Correction:
    before = split(factors, directions)
    if not replaced or before.fixed:
        kept = Components(1.0, 1.0, 1.0, 1.0)
        return Correction(factors, before.energies, kept, 0.0, 0.0, before.sign_cosine, found.cosine)
    corrected = replace(factors, b=found.b)
    after = split(corrected, directions).energies
    shares = ((new / old) ** 0.5 if old else 1.0 for new, old in zip(after, before.energies, strict=True))
    change = split(replace(factors, b=found.b - factors.b.to(found.b.dtype)), directions).energy
    return Correction(
        corrected, before.energies, Components(*shares), change**0.5, 0.0, before.sign_cosine, found.cosine
    )
