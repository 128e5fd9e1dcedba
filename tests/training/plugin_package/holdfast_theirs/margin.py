"""An objective: the perturbed prompt may cost at most a margin more than the clean one."""

from dataclasses import dataclass

from holdfast.training.contract import Objective, Step, TrainingContext
from holdfast.training.method import method, setting


@dataclass(frozen=True)
class Margin:
    margin: float = setting(0.1, "what the perturbation may cost", ge=0)


@method("margin", "loss", settings=Margin, perturbs=True)
def margin(settings: Margin, context: TrainingContext) -> Objective:
    """Let the perturbed prompt cost at most a margin more than the clean one."""

    def objective(step: Step):
        clean, perturbed = step.task(step.clean)[0], step.task(step.perturbed())[0]
        excess = (perturbed - clean.detach() - settings.margin).clamp(min=0)
        return clean + excess, {"task_loss": clean.item(), "excess": excess.item()}

    return objective
