"""A control for CSULoRA: does direction matter, or only how far the update is moved?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from holdfast.training.contract import Correct
    from holdfast.training.corrections.factored.factors import Correction, Directions, Factors
    from holdfast.training.corrections.factored.module_update import ModuleUpdate


@dataclass(frozen=True)
class Shrink:
    """The settings of `shrink`."""

    strength: float = setting(1.0, "match csulora's distance at this strength", ge=0)


@method("shrink", "adapter", settings=Shrink)
def build(settings: Shrink, modules: Mapping[str, ModuleUpdate]) -> Correct:
    """Scale each update down so that it moves as far as csulora moves it: a control."""
    from holdfast.training.corrections.factored.attenuation import scale_down

    return lambda module: scale_down(module.parts, settings.strength)


def shrink(
    adapter: Mapping[str, Factors], subspace: Mapping[str, Directions], *, strength: float = 1.0
) -> dict[str, Correction]:
    """Return t dW for every module, with t such that the distance from dW is CSULoRA's at this strength.

    Args:
        adapter: Factors of each module.
        subspace: Directions of each module.
        strength: The penalty, as in `csulora`.

    Returns:
        The correction of each module, by name.

    Raises:
        UserError: If adapter and subspace don't match.
    """
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace)
    return correct_modules([build(Shrink(strength), modules)], modules)[0]
