"""Every built-in method passes the conformance checks, which explain what is wrong with a broken one."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from holdfast.training.contract import Correct, Objective, Step, TrainingContext
from holdfast.training.corrections import Correction
from holdfast.training.corrections.factored.module_update import ModuleUpdate
from holdfast.training.method import Method, NoSettings, methods_at, setting
from holdfast.training.testing import check_correction, check_noise, check_objective

SHORT = {"s2r2": {"max_new_tokens": 6, "warmup": 0.0}}


@pytest.mark.parametrize("name", [each.name for each in methods_at("loss")])
def test_every_objective_conforms(name: str) -> None:
    check_objective(name, SHORT.get(name))


@pytest.mark.parametrize("penalty", ["representation", "cross_entropy"])
@pytest.mark.parametrize("mode", ["generate", "teacher"])
def test_s2r2_conforms_in_every_mode(mode: str, penalty: str) -> None:
    check_objective("s2r2", {"mode": mode, "penalty": penalty, "warmup": 0.0, "max_new_tokens": 6})


@pytest.mark.parametrize("name", [each.name for each in methods_at("weights")])
def test_every_noise_conforms(name: str) -> None:
    check_noise(name)


@pytest.mark.parametrize("name", [each.name for each in methods_at("adapter")])
def test_every_correction_conforms(name: str) -> None:
    check_correction(name)


def objective(compute_loss: Callable[[Step], Any]) -> Method:
    def build(settings: NoSettings, context: TrainingContext) -> Objective:
        """Build a broken objective."""
        return compute_loss

    return Method("broken", "loss", build)


def task_alone(step: Step) -> Any:
    return step.task(step.clean)[0], {}


def asking(step: Step) -> Any:
    return step.task(step.perturbed())[0], {}


def without_gradient(step: Step) -> Any:
    return step.task(step.clean)[0].detach(), {}


def logging_tensors(step: Step) -> Any:
    loss = step.task(step.clean)[0]
    return loss, {"loss": loss}


def random(step: Step) -> Any:
    torch.seed()
    return step.task(step.clean)[0] * torch.rand(()), {}


def overwriting(step: Step) -> Any:
    loss = step.task(step.clean)[0]
    step.clean["labels"].fill_(0)
    return loss, {}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (objective(asking), "uses perturbed prompts but is not declared with perturbs=True"),
        (dataclasses.replace(objective(task_alone), perturbs=True), "never uses perturbed prompts"),
        (objective(without_gradient), "the loss has no gradient"),
        (objective(logging_tensors), "logged values must be finite floats"),
        (objective(random), "from the same random state"),
        (objective(overwriting), "changed the batch's labels"),
        (objective(lambda step: step.task(step.clean)[0]), "must return"),
    ],
)
def test_a_broken_objective_is_explained(broken: Method, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_objective(broken)


class Noise:
    """Runs the pass, but makes one mistake before or after it."""

    def __init__(self, context: TrainingContext, wrong: str) -> None:
        self.model, self.wrong = context.model, wrong

    def backward(self, run: Callable[[], torch.Tensor], step: int, total: int) -> Any:
        if self.wrong == "nothing":
            return torch.tensor(0.0)
        frozen = next(p for p in self.model.parameters() if not p.requires_grad)
        if self.wrong == "changes":
            frozen.data += 0.1 * torch.ones_like(frozen)
        if self.wrong == "random":
            torch.rand(1)
        loss = run()
        if self.wrong == "clears":
            for parameter in self.model.parameters():
                parameter.grad = None
            run()
        return loss


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("nothing", "leaves no gradients on the adapter"),
        ("changes", "changed the frozen weight"),
        ("random", "uses torch's global random state"),
        ("clears", "must add the same gradients"),
    ],
)
def test_a_broken_noise_is_explained(wrong: str, message: str) -> None:
    def build(settings: NoSettings, context: TrainingContext) -> Noise:
        """Build a broken noise."""
        return Noise(context, wrong)

    with pytest.raises(AssertionError, match=message):
        check_noise(Method("broken", "weights", build))


def correction(correct: Callable[[ModuleUpdate], Any]) -> Method:
    def build(settings: NoSettings, modules: Mapping[str, ModuleUpdate]) -> Correct:
        """Build a broken correction."""
        return correct

    return Method("broken", "adapter", build)


def untrue(module: ModuleUpdate) -> Correction:
    halved = dataclasses.replace(module.factors, b=module.factors.b / 2)
    return dataclasses.replace(module.replace_with(module.factors), factors=halved)


def destructive(module: ModuleUpdate) -> Correction:
    module.factors.a.zero_()
    return module.replace_with(module.factors)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (correction(lambda module: module.factors), "must return a Correction, got Factors"),
        (correction(untrue), "reports a distance of 0"),
        (correction(destructive), "changed its input"),
    ],
)
def test_a_broken_correction_is_explained(broken: Method, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_correction(broken)


@dataclasses.dataclass(frozen=True)
class Undescribed:
    weight: float = 1.0


def test_settings_need_help_texts_and_valid_defaults() -> None:
    with pytest.raises(AssertionError, match="its setting 'weight' needs a help text"):
        check_objective(dataclasses.replace(objective(task_alone), settings=Undescribed))


def test_a_builder_needs_a_docstring() -> None:
    with pytest.raises(AssertionError, match="needs a docstring"):
        check_objective(Method("broken", "loss", lambda settings, context: task_alone))


@dataclasses.dataclass(frozen=True)
class Described:
    weight: float = setting(1.0, "how much")


def test_settings_may_be_given() -> None:
    check_objective(dataclasses.replace(objective(task_alone), settings=Described), {"weight": 0.5})
