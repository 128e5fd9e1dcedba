"""R-Drop (Liang et al. 2021, arXiv 2106.14448): agreement between two passes with different dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.training.method import method, setting

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.contract import Objective, Step, TrainingContext


@dataclass(frozen=True)
class RDrop:
    """The settings of `rdrop`."""

    weight: float = setting(1.0, "weight of the KL divergence in the loss", ge=0)


@method("rdrop", "loss", settings=RDrop)
def rdrop(settings: RDrop, context: TrainingContext) -> Objective:
    """Penalise the symmetric KL between two dropout passes (Liang et al. 2021).

    The task loss is the mean over both passes. Raises UserError if the model has no dropout, so that they would agree.
    """
    from holdfast.training.objectives.segments.divergence import answer_logits, has_dropout, token_kl

    if not has_dropout(context.model):
        fix = "set it in the model's configuration" if context.full else "set it with --lora ...,dropout=0.1"
        raise UserError(f"--objective rdrop compares two passes with dropout, but the model has none: {fix}")

    def objective(step: Step) -> tuple[Tensor, dict[str, float]]:
        first, one = step.task(step.clean)
        second, two = step.task(step.clean)
        a, b = answer_logits(one, step.clean), answer_logits(two, step.clean)
        divergence = (token_kl(a, b) + token_kl(b, a)) / 2
        loss = (first + second) / 2
        return loss + settings.weight * divergence, {"task_loss": loss.item(), "kl": divergence.item()}

    return objective
