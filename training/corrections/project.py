"""A control of CSULoRA: what lies within the safety subspace, alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from holdfast.training.method import NoSettings, method

if TYPE_CHECKING:
    from holdfast.training.contract import Correct
    from holdfast.training.corrections.factored.factors import Correction, Directions, Factors
    from holdfast.training.corrections.factored.module_update import ModuleUpdate


@method("project", "adapter")
def build(settings: NoSettings, modules: Mapping[str, ModuleUpdate]) -> Correct:
    """Keep only what lies within the safety subspace: a control."""
    from holdfast.training.corrections.factored.attenuation import projected

    return lambda module: projected(module.parts)


def project(adapter: Mapping[str, Factors], subspace: Mapping[str, Directions]) -> dict[str, Correction]:
    """Return P_U dW P_V for every module: CSULoRA's limit at infinite strength, of rank at most r."""
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace)
    return correct_modules([build(NoSettings(), modules)], modules)[0]
