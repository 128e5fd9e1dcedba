"""One module of an adapter as a correction sees it, and the application of corrections to a whole adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import torch

from holdfast.errors import UserError
from holdfast.training.corrections.factored.factors import (
    Components,
    Correction,
    Directions,
    Factors,
    check_shapes,
    match_module,
)
from holdfast.training.corrections.factored.splitting import Parts, split

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class ModuleUpdate:
    """One module of an adapter: its update, the safety subspace's directions, and the displacement on demand."""

    name: str
    factors: Factors
    directions: Directions
    read_displacement: Callable[[], Tensor] | None = None

    @cached_property
    def parts(self) -> Parts:
        """The update split by the subspace; computed once, however many corrections use it."""
        return split(self.factors, self.directions)

    def displacement(self) -> Tensor:
        """Return D = W_aligned - W_base (m, n); raises UserError if the checkpoints are not available."""
        if self.read_displacement is None:
            raise UserError(
                f"module '{self.name}': this correction needs the checkpoints that the subspace was made from"
            )
        return self.read_displacement()

    def replace_with(self, factors: Factors, *, cosine: float | None = None) -> Correction:
        """Return the correction that replaces the update with other factors, with its report.

        Args:
            factors: The corrected update, of any rank; `self.factors` itself is reported as exactly unchanged.
            cosine: SafeLoRA's cosine.
        """
        parts = self.parts
        if factors is self.factors:
            kept = Components(1.0, 1.0, 1.0, 1.0)
            return Correction(factors, parts.energies, kept, 0.0, 0.0, parts.sign_cosine, cosine)
        after = split(factors, self.directions).energies
        shares = ((new / old) ** 0.5 if old else 1.0 for new, old in zip(after, parts.energies, strict=True))
        distance = _distance(factors, self.factors)
        return Correction(factors, parts.energies, Components(*shares), distance, 0.0, parts.sign_cosine, cosine)


class ModuleUpdates(Mapping[str, ModuleUpdate]):
    """An adapter's modules with their directions, matched by name and checked by shape.

    Each access reads the directions again, so that memory only holds the modules in use.

    Args:
        adapter: Factors by module name.
        subspace: Directions by the checkpoint's module name.
        displacements: D (m, n) by the checkpoint's module name; a lazy mapping may read D on access.

    Raises:
        UserError: On access, if the subspace doesn't have the module or has it with another shape.
    """

    def __init__(
        self,
        adapter: Mapping[str, Factors],
        subspace: Mapping[str, Directions],
        displacements: Mapping[str, Tensor] | None = None,
    ) -> None:
        self._adapter, self._subspace, self._displacements = adapter, subspace, displacements

    def __getitem__(self, name: str) -> ModuleUpdate:
        factors, known = self._adapter[name], match_module(name, self._subspace)
        directions = self._subspace[known]
        check_shapes(name, factors, directions)
        read = None if self._displacements is None else partial(self._displacements.__getitem__, known)
        return ModuleUpdate(name, factors, directions, read)

    def __iter__(self) -> Iterator[str]:
        return iter(self._adapter)

    def __len__(self) -> int:
        return len(self._adapter)


def correct_modules(
    corrections: Sequence[Callable[[ModuleUpdate], Correction]], modules: Mapping[str, ModuleUpdate]
) -> list[dict[str, Correction]]:
    """Apply several corrections to every module; each module is read and split once.

    Returns:
        For each correction, the corrected modules by name.
    """
    found: list[dict[str, Correction]] = [{} for _ in corrections]
    for name in modules:
        module = modules[name]
        for each, correct in zip(found, corrections, strict=True):
            each[name] = correct(module)
    return found


def _distance(new: Factors, old: Factors) -> float:
    """Return ||X - dW||_F from the factors by QR: exact up to rounding even if the two are close."""
    dtype = torch.promote_types(torch.promote_types(new.a.dtype, old.a.dtype), torch.float32)
    b = torch.cat((new.scale * new.b.to(dtype), -old.scale * old.b.to(dtype)), dim=1)
    a = torch.cat((new.a.to(dtype), old.a.to(dtype)))
    left, right = torch.linalg.qr(b).R.double(), torch.linalg.qr(a.T).R.double()
    return float((left @ right.T).norm())
