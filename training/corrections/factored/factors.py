"""What a correction takes and gives: an adapter as factors, a subspace as singular directions, and what was done."""

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
        """dW itself, (m, n): for tests and small modules."""
        return self.scale * self.b @ self.a


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """The leading singular directions of one module's displacement D = W_aligned - W_base: D ~ U S V^T with U (m, k),
    the diagonal of S (k), V (n, k); `norm` is ||D||_F, 0 where alignment left the module as it was."""

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
        """The share of ||D||_F^2 that the directions hold."""
        return float(self.values.double().pow(2).sum()) / self.norm**2 if self.norm else 0.0


class Components(NamedTuple):
    """A number for each of the four orthogonal parts of an update (METHODS 3): F = P_U dW P_V, L = P_U dW (I - P_V),
    R = (I - P_U) dW P_V, O = (I - P_U) dW (I - P_V)."""

    aligned: float
    left: float
    right: float
    off: float


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """One module's corrected update X and its account.

    `energies` are the squared norms of the parts of dW, `attenuation` ||X_c|| / ||dW_c|| of each part c before the rank
    is cut; `recompression_error` is the Frobenius norm of what the cut took away, and `distance` ||X - dW||_F of what
    is returned. `sign_cosine` is cos(U^T dW V, S): near -1 the update undoes the alignment. `cosine` is SafeLoRA's.
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
    """Raise UserError where a module's update and its directions differ in shape."""
    shape = len(directions.u), len(directions.v)
    if shape != factors.shape:
        raise UserError(
            f"the adapter does not belong to this subspace: '{name}' is {factors.shape[0]} x {factors.shape[1]}, "
            f"in the checkpoints it is {shape[0]} x {shape[1]}"
        )


def partner(name: str, known: Mapping[str, object]) -> str:
    """The name in `known` of the same module: equal, or the only one that differs by a leading prefix alone, as
    checkpoints saved with and without a head do.

    >>> partner("transformer.h.0.attn", {"h.0.attn": 1, "h.1.attn": 2})
    'h.0.attn'
    """
    if name in known:
        return name
    near = [other for other in known if other.endswith(f".{name}") or name.endswith(f".{other}")]
    if len(near) != 1:
        raise UserError(f"module '{name}' is not among the {len(known)} modules of the subspace")
    return near[0]
