"""Flat-LoRA (arXiv 2409.14396, ICML 2025), training under random noise on the merged weights, and its control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from holdfast.errors import UserError
from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from holdfast.training.contract import StepNoise, TrainingContext


@dataclass(frozen=True)
class FlatLora:
    """The settings of `flat_lora` and `isotropic`."""

    sigma: float = setting(0.05, "noise at the last step, relative to each row's root mean square", ge=0)
    all_linear: bool = setting(False, "perturb every linear layer, not only those with an adapter")


@method(
    "flat_lora",
    "weights",
    settings=FlatLora,
    measured="no difference from LoRA on pocket-base, 40 steps, five seeds (results/flat_lora.txt); the "
    "noise hardly raised the loss there, so that the experiment had no power; none on Financial PhraseBank with "
    "MiniLM with right labels or with 30 % wrong ones, three seeds (results/phrasebank.txt)",
)
def flat_lora(settings: FlatLora, context: TrainingContext) -> StepNoise:
    """Add noise to each row of the merged weights, scaled by the row's size, at every step (arXiv 2409.14396)."""
    return _noise("flat_lora", settings, context)


@method("isotropic", "weights", settings=FlatLora)
def isotropic(settings: FlatLora, context: TrainingContext) -> StepNoise:
    """Add noise of flat_lora's energy, spread evenly over rows: its control."""
    return _noise("isotropic", settings, context)


def _noise(kind: Literal["flat_lora", "isotropic"], settings: FlatLora, context: TrainingContext) -> StepNoise:
    from holdfast.training.noise.weights.layers import warn_of_left_out
    from holdfast.training.noise.weights.weight_noise import WeightNoise

    if context.full:
        raise UserError(f"--noise {kind} perturbs the weights that an adapter changes: remove --full")
    warn_of_left_out(kind, context.model)
    return WeightNoise(
        context.model, sigma=settings.sigma, seed=context.seed, kind=kind, all_linear=settings.all_linear
    )
