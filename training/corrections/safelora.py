"""SafeLoRA (NeurIPS 2024): project updates that leave the alignment's column space back onto it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.contract import Correct
    from holdfast.training.corrections.factored.factors import Correction, Directions, Factors
    from holdfast.training.corrections.factored.module_update import ModuleUpdate


@dataclass(frozen=True)
class SafeLoRA:
    """The settings of `safelora`."""

    threshold: float = setting(0.35, "project modules up to this cosine", ge=-1, le=1)
    number: int | None = setting(None, "instead, project this many modules, those with the lowest cosine", ge=0)


@method("safelora", "adapter", settings=SafeLoRA)
def build(settings: SafeLoRA, modules: Mapping[str, ModuleUpdate]) -> Correct:
    """Project updates that leave the alignment's column space back onto it (NeurIPS 2024)."""
    from holdfast.training.corrections.factored.projection import project_update

    projections = {name: project_update(modules[name]) for name in modules}
    threshold = settings.threshold
    if settings.number is not None:
        lowest = sorted(each.cosine for each in projections.values())[: settings.number]
        threshold = lowest[-1] if lowest else -2.0

    def correct(module: ModuleUpdate) -> Correction:
        found = projections[module.name]
        is_replaced = found.cosine <= threshold and not module.parts.is_fixed
        factors = replace(module.factors, b=found.b) if is_replaced else module.factors
        return module.replace_with(factors, cosine=found.cosine)

    return correct


def safelora(
    adapter: Mapping[str, Factors],
    displacements: Mapping[str, Tensor],
    subspace: Mapping[str, Directions],
    *,
    threshold: float = 0.35,
    number: int | None = None,
) -> dict[str, Correction]:
    """Replace dW by C dW where cos(C dW, dW) <= threshold, or in the `number` modules where it is lowest [code].

    C = D D^T / ||D||_F is not a projection (it is not idempotent and grows with D), but the published code uses it.

    Args:
        adapter: Factors of each module.
        displacements: D (m, n) by the module's name in the subspace; a lazy mapping may read D on access.
        subspace: Directions of each module, only used to report what changed.
        threshold: Replace modules up to this cosine, in [-1, 1].
        number: If given, ignore the threshold and replace this many modules, and any tied with the last of them.

    Returns:
        The correction of each module, by name.

    Raises:
        UserError: If adapter and subspace don't match.
    """
    from holdfast.training.corrections.factored.module_update import ModuleUpdates, correct_modules

    modules = ModuleUpdates(adapter, subspace, displacements)
    return correct_modules([build(SafeLoRA(threshold, number), modules)], modules)[0]
