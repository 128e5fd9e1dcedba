"""Flatness of the loss around a model's weights: expected sharpness, curvature and the loss surface.

The loss is a function of replacement weights, so the model's own weights are never written to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    Weights = Mapping[str, Tensor]
    """Matrices (m, n) by name."""
    Loss = Callable[[Weights], Tensor]
    """The scalar loss of the model with these matrices in place of its own."""


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The rise in loss under weight noise of scale `sigma`: the mean over draws, and its standard error."""

    sigma: float
    rise: float
    error: float


def row_normalised(like: Weights, norms: Weights, seed: int) -> dict[str, Tensor]:
    """Draw a random direction d whose rows have the same norms as the rows of the weights.

    Filter normalisation (Li et al. 2018, arXiv 1712.09913) with rows as filters: d_i = z_i ||w_i|| / ||z_i||.

    Args:
        like: The weights.
        norms: The row norms (m) of each matrix.
        seed: The seed of the direction.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, weight in like.items():
        z = torch.randn(weight.shape, generator=generator).to(weight.device)
        found[name] = z * (norms[name] / z.norm(dim=1).clamp(min=1e-12))[:, None]
    return found


def expected_sharpness(
    loss: Loss, weights: Weights, norms: Weights, sigmas: Sequence[float], *, draws: int = 8, seed: int = 0
) -> list[Sharpness]:
    """Estimate E_d L(W + sigma d) - L(W) for each sigma, over row-normalised directions d.

    Args:
        loss: The loss as a function of replacement weights.
        weights: The weights W.
        norms: The row norms (m) of each matrix.
        sigmas: The noise scales.
        draws: The number of directions, shared by all sigmas.
        seed: The seed of the first direction; the next ones use seed + 1, ...

    Raises:
        ValueError: If `draws` is less than 1.
    """
    import torch

    if draws < 1:
        raise ValueError("draws must be at least 1")
    with torch.no_grad():
        start = float(loss({}))
        rises: dict[float, list[float]] = {sigma: [] for sigma in sigmas}
        for draw in range(draws):
            direction = row_normalised(weights, norms, seed + draw)
            for sigma in sigmas:
                rises[sigma].append(float(loss(_moved(weights, [(sigma, direction)]))) - start)
    return [Sharpness(sigma, *_mean_and_error(found)) for sigma, found in rises.items()]


def largest_eigenvalue(
    loss: Loss, weights: Weights, *, iterations: int = 30, tolerance: float = 1e-2, seed: int = 0
) -> float:
    """Compute the largest eigenvalue of the loss's Hessian with respect to `weights`, by Lanczos iteration.

    This is the steepest upward curvature; power iteration would find the eigenvalue of largest magnitude, which may be
    negative. Each iteration takes one Hessian-vector product by double backward (Pearlmutter 1994); only three vectors
    are kept.

    Args:
        loss: The loss as a function of replacement weights.
        weights: The weights at which to compute the Hessian.
        iterations: The maximum number of iterations.
        tolerance: Stop when the residual of the largest Ritz pair is below this share of its value.
        seed: The seed of the starting vector.

    Raises:
        UserError: If the loss or its derivatives aren't finite.
    """
    import torch

    leaves = {name: weight.detach().float().clone().requires_grad_() for name, weight in weights.items()}
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    value = 0.0
    with torch.enable_grad():
        gradients = torch.autograd.grad(loss(leaves), list(leaves.values()), create_graph=True)
        generator = torch.Generator().manual_seed(seed)
        vector = _unit([torch.randn(leaf.shape, generator=generator).to(leaf.device) for leaf in leaves.values()])
        before = [torch.zeros_like(each) for each in vector]
        for _ in range(iterations):
            product = torch.autograd.grad(gradients, list(leaves.values()), vector, retain_graph=True)
            diagonal.append(_dot(product, vector))
            if not math.isfinite(diagonal[-1]):
                raise UserError(
                    "the curvature of the loss is not a finite number: the weights of the base or the adapter are "
                    "broken, or too large"
                )
            back = off_diagonal[-1] if off_diagonal else 0.0
            rest = [p - diagonal[-1] * v - back * b for p, v, b in zip(product, vector, before, strict=True)]
            off_diagonal.append(math.sqrt(_dot(rest, rest)))
            value, share = _largest_ritz(diagonal, off_diagonal[:-1])
            if off_diagonal[-1] * share <= tolerance * abs(value):
                break
            before, vector = vector, _unit(rest)
    return value


def surface(
    loss: Loss, weights: Weights, directions: Sequence[Weights], *, reach: float = 1.0, points: int = 21
) -> list[tuple[tuple[float, ...], float]]:
    """Evaluate the loss on a grid along one or two directions.

    Args:
        loss: The loss as a function of replacement weights.
        weights: The weights at the centre of the grid.
        directions: One or two directions.
        reach: The grid extends from -reach to reach along each direction.
        points: The number of grid points along each direction.

    Returns:
        (coordinates, loss) for each grid point, row by row.
    """
    import torch

    steps = [reach * (2 * i / (points - 1) - 1) for i in range(points)]
    grid = [(x,) for x in steps] if len(directions) == 1 else [(x, y) for x in steps for y in steps]
    with torch.no_grad():
        return [(place, float(loss(_moved(weights, list(zip(place, directions, strict=True)))))) for place in grid]


def _moved(weights: Weights, steps: Sequence[tuple[float, Weights]]) -> dict[str, Tensor]:
    return {
        name: sum((x * direction[name] for x, direction in steps), start=weight.float()).to(weight.dtype)
        for name, weight in weights.items()
    }


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return mean, math.sqrt(spread / len(values))


def _largest_ritz(diagonal: Sequence[float], off_diagonal: Sequence[float]) -> tuple[float, float]:
    """Return the largest eigenvalue of a tridiagonal matrix, and the magnitude of its eigenvector's last component."""
    from scipy.linalg import eigh_tridiagonal

    last = len(diagonal) - 1
    values, vectors = eigh_tridiagonal(diagonal, off_diagonal, select="i", select_range=(last, last))
    return float(values[0]), abs(float(vectors[-1, 0]))


def _dot(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    return sum(float((a * b).sum()) for a, b in zip(ours, theirs, strict=True))


def _unit(vectors: Sequence[Tensor]) -> list[Tensor]:
    length = math.sqrt(_dot(vectors, vectors))
    return [vector / (length or 1.0) for vector in vectors]
