"""transformers' Trainer with two places opened: what the loss is, and what the weights see during a step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Trainer

from holdfast.errors import UserError
from holdfast.training.examples import Example
from holdfast.training.loop.batches import Perturber
from holdfast.training.noise import WeightNoise
from holdfast.training.noise.sam import ascended, gradients_wanted
from holdfast.training.objectives import Result, Step

Objective = Callable[[Step], Result]


class MethodTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose loss is an objective and whose steps may run under weight noise or SAM.

    Evaluation, saving, checkpoints, devices and logging are the Trainer's own.
    """

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        objective_args: dict[str, Any],
        perturber: Perturber,
        noise: WeightNoise | None = None,
        sam: tuple[list[Tensor], float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._objective, self._objective_args, self._perturber = objective, objective_args, perturber
        self._noise, self._sam = noise, sam
        self._parts: dict[str, list[float]] = {}
        self.model_accepts_loss_kwargs = False  # the loss is a mean per micro-batch, whatever the model can do

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """One micro-batch's gradients, under the noise of its optimizer step; with SAM, those at the worst point."""
        with self._noisy():
            if self._sam is None:
                loss: Tensor = super().training_step(model, dict(inputs), num_items_in_batch)
                return self._checked(loss, inputs)
            parameters, rho = self._sam
            every = list({id(p): p for p in (*model.parameters(), *parameters)}.values())
            before = [p.grad for p in every]  # of earlier micro-batches of this step
            with gradients_wanted(parameters):
                _clear(every)
                first: Tensor = super().training_step(model, dict(inputs), num_items_in_batch)
                self._checked(first, inputs)
                _clear([p for p in every if id(p) not in {id(q) for q in parameters}])
                with ascended(parameters, rho):
                    super().training_step(model, dict(inputs), num_items_in_batch)
            for parameter, grad in zip(every, before, strict=True):
                if grad is not None:
                    parameter.grad = grad if parameter.grad is None else parameter.grad + grad
            return first

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The objective in training; in evaluation the task loss."""
        numbers = inputs.pop("number").tolist()
        if not model.training:
            given = {name: value for name, value in inputs.items() if name != "labels"}
            outputs = model(**given)
            loss = task_loss(outputs.logits, inputs["labels"], "decoder_input_ids" in inputs)
            return (loss, outputs) if return_outputs else loss
        seq2seq, now = "decoder_input_ids" in inputs, self.state.global_step

        def perturbed_examples() -> list[Example]:
            return self._perturber.examples(numbers, now)

        def perturbed() -> dict[str, Tensor]:
            batch = self._perturber.encoded(perturbed_examples())
            return {name: value.to(self.args.device) for name, value in batch.items()}

        step = Step(
            model=model,
            clean=inputs,
            perturbed=perturbed,
            perturbed_examples=perturbed_examples,
            numbers=numbers,
            task_loss=lambda logits, labels: task_loss(logits, labels, seq2seq),
            number=now,
            progress=now / max(1, self.state.max_steps),
            settings=self._objective_args,
        )
        loss, parts = self._objective(step)
        for name, value in parts.items():
            self._parts.setdefault(name, []).append(value)
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """The Trainer's log, with the parts of the loss since the last one."""
        means = {name: sum(values) / len(values) for name, values in self._parts.items() if values}
        if "loss" in logs:
            self._parts.clear()
            logs = {**logs, **{name: round(value, 6) for name, value in means.items()}}
        super().log(logs, *args, **kwargs)

    def _noisy(self) -> AbstractContextManager[None]:
        if self._noise is None:
            return nullcontext()
        return self._noise.step(self.state.global_step, self.state.max_steps)

    def _checked(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        if torch.isfinite(loss):
            return loss
        self.save_model(f"{self.args.output_dir}/stopped")
        numbers = ", ".join(str(number + 1) for number in inputs["number"].tolist())
        raise UserError(
            f"the loss is {loss.item()} in step {self.state.global_step + 1}, on the data's rows {numbers}: lower the "
            f"learning rate or look at these rows; the adapter as it is lies in {self.args.output_dir}/stopped"
        )


def _clear(parameters: list[Tensor]) -> None:
    for parameter in parameters:
        parameter.grad = None


def task_loss(logits: Tensor, labels: Tensor, seq2seq: bool) -> Tensor:
    """The mean cross-entropy of a completion's tokens, or of a classifier's labels."""
    if labels.dim() == 1:
        return functional.cross_entropy(logits.float(), labels)
    if not seq2seq:  # each place foretells the next one; to move the labels copies no logits
        labels = functional.pad(labels[:, 1:], (0, 1), value=-100)
    return functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
