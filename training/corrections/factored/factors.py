"""The types of corrections: low-rank factors, singular directions, and the corrected update with its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from holdfast.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """One module's update dW = s B A: A (r, n), B (m, r)."""

    a: Tensor
    b: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """r."""
        return len(self.a)

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return len(self.b), self.a.shape[1]

    def dense(self) -> Tensor:
        """Return dW (m, n) itself; meant for tests and small modules."""
        return self.scale * self.b @ self.a


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """The leading singular directions of one module's displacement D = W_aligned - W_base.

    D ~ U S V^T with `u` = U (m, k), `values` = the diagonal of S (k) and `v` = V (n, k). `norm` is ||D||_F, 0 if
    alignment didn't change the module.
    """

    u: Tensor
    values: Tensor
    v: Tensor
    norm: float

    @property
    def rank(self) -> int:
        """k."""
        return len(self.values)

    @property
    def energy(self) -> float:
        """The fraction of ||D||_F^2 that the directions capture, in [0, 1]."""
        return float(self.values.double().pow(2).sum()) / self.norm**2 if self.norm else 0.0


class Components(NamedTuple):
    """A number for each of the four orthogonal parts of an update (arXiv 2605.30640).

    With P_U = U U^T and P_V = V V^T: F = P_U dW P_V (aligned), L = P_U dW (I - P_V) (left), R = (I - P_U) dW P_V
    (right) and O = (I - P_U) dW (I - P_V) (off).
    """

    aligned: float
    left: float
    right: float
    off: float


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """One module's corrected update X, with a report of what changed.

    - `factors`: X.
    - `energies`: the squared Frobenius norms of the parts of dW.
    - `attenuation`: ||X_c|| / ||dW_c|| for each part c, before the rank is truncated.
    - `distance`: ||X - dW||_F, after truncation.
    - `recompression_error`: the Frobenius norm of what truncation removed.
    - `sign_cosine`: cos(U^T dW V, S); near -1 the update undoes the alignment.
    - `cosine`: SafeLoRA's cos(C dW, dW); None for other methods.
    """

    factors: Factors
    energies: Components
    attenuation: Components
    distance: float
    recompression_error: float
    sign_cosine: float
    cosine: float | None = None

    @property
    def relative_distance(self) -> float:
        """||X - dW||_F / ||dW||_F."""
        energy = sum(self.energies)
        return self.distance / energy**0.5 if energy else 0.0


def check_shapes(name: str, factors: Factors, directions: Directions) -> None:
    """Raise UserError if a module's update and its directions differ in shape."""
    shape = len(directions.u), len(directions.v)
    if shape != factors.shape:
        raise UserError(
            f"the adapter does not belong to this subspace: '{name}' is {factors.shape[0]} x {factors.shape[1]}, "
            f"but {shape[0]} x {shape[1]} in the checkpoints"
        )


def match_module(name: str, known: Mapping[str, object]) -> str:
    """Find a module by its name in an adapter among a subspace's modules.

    Args:
        name: The module's name.
        known: The subspace's modules by name.

    Returns:
        The equal name in `known`, or the only one that differs just by a leading prefix, as names in checkpoints saved
        with and without a head do.

    Raises:
        UserError: If there is no such name, or several.

    >>> match_module("transformer.h.0.attn", {"h.0.attn": 1, "h.1.attn": 2})
    'h.0.attn'
    """
    if name in known:
        return name
    near = [other for other in known if other.endswith(f".{name}") or name.endswith(f".{other}")]
    if len(near) != 1:
        raise UserError(
            f"module '{name}' is not among the {len(known)} modules of the subspace: use a subspace of this base model"
        )
    return near[0]
