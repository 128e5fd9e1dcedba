"""A control for CSULoRA: does the choice of subspace matter, or only its size?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from holdfast.training.contract import Correct
    from holdfast.training.corrections.factored.factors import Correction, Directions, Factors
    from holdfast.training.corrections.factored.module_update import ModuleUpdate


@dataclass(frozen=True)
class RandomSubspace:
    """The settings of `random_subspace`."""

    strength: float = setting(1.0, "as in csulora", ge=0)
    rank: Literal["keep", "exact"] | int = setting("keep", "as in csulora", ge=1)
    seed: int = setting(0, "seed of the random directions")


@method("random_subspace", "adapter", settings=RandomSubspace)
def build(settings: RandomSubspace, modules: Mapping[str, ModuleUpdate]) -> Correct:
    """Run csulora with the same number of random directions: a control."""
    from holdfast.training.corrections.factored.attenuation import attenuate
    from holdfast.training.corrections.factored.splitting import split
    from holdfast.training.corrections.factored.subspace import random_directions

    def correct(module: ModuleUpdate) -> Correction:
        directions = random_directions(module.directions, module.name, settings.seed)
        return attenuate(split(module.factors, directions), settings.strength, rank=settings.rank)

    return correct


def random_subspace(
    adapter: Mapping[str, Factors],
    subspace: Mapping[str, Directions],
    *,
    strength: float = 1.0,
    seed: int = 0,
    rank: Literal["keep", "exact"] | int = "keep",
) -> dict[str, Correction]:
    """Return CSULoRA's correction with random directions, as many as the subspace has in each module.

    Args:
        adapter: Factors of each module.
        subspace: Directions of each module, for their number and the norm of the displacement.
        strength: The penalty, as in `csulora`.
        seed: The seed of the random directions.
        rank: The rank of the result (see `Rank`).

    Returns:
        The correction of each module, by name.

    Raises:
        UserError: If adapter and subspace don't match.
    """
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace)
    return correct_modules([build(RandomSubspace(strength, rank, seed), modules)], modules)[0]
