"""Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412): the gradient at the worst nearby point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from holdfast.training.contract import StepNoise, TrainingContext


@dataclass(frozen=True)
class Sam:
    """The settings of `sam_w`."""

    rho: float = setting(0.05, "radius of the neighbourhood: the L2 norm of the step", ge=0)


@dataclass(frozen=True)
class SamAB:
    """The settings of `sam_ab`: A and B are far smaller than the matrices, and so is the radius around them."""

    rho: float = setting(0.003, "radius of the neighbourhood: the L2 norm of the step", ge=0)


@method(
    "sam_ab",
    "weights",
    settings=SamAB,
    reads_gradients=True,
    measured="0.801 of perturbed headlines right, LoRA 0.776, with 30 % wrong labels: a significant difference on "
    "pocket-base, five seeds (results/flat_lora.txt); but on a real encoder 0.774 of sentences, LoRA 0.796 (p 0.035, "
    "uncorrected), three seeds (results/phrasebank.txt)",
)
def sam_ab(settings: SamAB, context: TrainingContext) -> StepNoise:
    """Take the gradient at the worst point near the adapter's A and B (Foret et al. 2021)."""
    from holdfast.training.noise.weights.ascent import SharpnessAware, trained_parameters

    return SharpnessAware(context.model, trained_parameters(context.model), settings.rho)


@method(
    "sam_w",
    "weights",
    settings=Sam,
    reads_gradients=True,
    measured="0.800 of perturbed headlines right, LoRA 0.776, with 30 % wrong labels: not significant on pocket-base, "
    "five seeds (results/flat_lora.txt)",
)
def sam_w(settings: Sam, context: TrainingContext) -> StepNoise:
    """Take the gradient at the worst point near the frozen matrices that the adapter changes."""
    from holdfast.training.noise.weights.ascent import SharpnessAware, matrices_under_adapter
    from holdfast.training.noise.weights.layers import warn_of_left_out

    if context.full:
        raise UserError("--noise sam_w perturbs the weights that an adapter changes: remove --full")
    warn_of_left_out("sam_w", context.model)
    return SharpnessAware(context.model, matrices_under_adapter(context.model), settings.rho)
