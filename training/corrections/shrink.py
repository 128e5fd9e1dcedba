"""A control of CSULoRA: does direction matter, beyond shrinking the update by the same distance?"""

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

    strength: float = setting(1.0, "the strength of csulora whose distance to match", ge=0)


@method("shrink", "adapter", settings=Shrink)
def build(settings: Shrink, modules: Mapping[str, ModuleUpdate]) -> Correct:
    """Scale each update down by csulora's distance, without direction: a control."""
    from holdfast.training.corrections.factored.attenuation import shrunk

    return lambda module: shrunk(module.parts, settings.strength)


def shrink(
    adapter: Mapping[str, Factors], subspace: Mapping[str, Directions], *, strength: float = 1.0
) -> dict[str, Correction]:
    """Return t dW for every module, as far from dW as CSULoRA goes at this strength."""
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace)
    return correct_modules([build(Shrink(strength), modules)], modules)[0]
