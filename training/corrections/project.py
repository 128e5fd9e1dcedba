"""A control for CSULoRA: keep only the part of the update within the safety subspace."""

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
    from holdfast.training.corrections.factored.attenuation import keep_aligned

    return lambda module: keep_aligned(module.parts)


def project(adapter: Mapping[str, Factors], subspace: Mapping[str, Directions]) -> dict[str, Correction]:
    """Return P_U dW P_V for every module, CSULoRA's limit at infinite strength, of rank at most r.

    Args:
        adapter: Factors of each module.
        subspace: Directions of each module.

    Returns:
        The correction of each module, by name.

    Raises:
        UserError: If adapter and subspace don't match.
    """
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace)
    return correct_modules([build(NoSettings(), modules)], modules)[0]
