"""transformers' Trainer with a pluggable loss (objective) and pluggable noise on the weights during a step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Trainer

from holdfast.errors import UserError
from holdfast.training.contract import Objective, Step, StepNoise
from holdfast.training.examples import Example
from holdfast.training.loop.batches import Perturber


class MethodTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose loss is an objective and whose steps may run under weight noise or SAM.

    Evaluation, saving, checkpoints, devices and logging work as in the Trainer.

    Args:
        args: Passed on to the Trainer, as are further keyword arguments.
        objective: The loss of a micro-batch.
        perturber: Perturbs prompts for the objective.
        noise: Runs each micro-batch under noise; None for plain passes.
    """

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        perturber: Perturber,
        noise: StepNoise | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._objective, self._perturber, self._noise = objective, perturber, noise
        self._parts: dict[str, list[float]] = {}
        self.model_accepts_loss_kwargs = False  # every loss is a mean over the micro-batch

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Compute one micro-batch's gradients, under the noise of its optimizer step."""
        plain = super().training_step

        def run() -> Tensor:
            loss: Tensor = plain(model, dict(inputs), num_items_in_batch)
            return self._check_finite(loss, inputs)

        if self._noise is None:
            return run()
        return self._noise.backward(run, self.state.global_step, self.state.max_steps)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Compute the objective in training, and the task loss in evaluation."""
        numbers = inputs.pop("number").tolist()
        if not model.training:
            given = {name: value for name, value in inputs.items() if name != "labels"}
            outputs = model(**given)
            loss = task_loss(outputs.logits, inputs["labels"], "decoder_input_ids" in inputs)
            return (loss, outputs) if return_outputs else loss
        seq2seq, now = "decoder_input_ids" in inputs, self.state.global_step

        def perturbed_examples() -> list[Example]:
            return self._perturber.perturb_examples(numbers, now)

        def perturbed() -> dict[str, Tensor]:
            batch = self._perturber.encode(perturbed_examples())
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
        )
        loss, parts = self._objective(step)
        for name, value in parts.items():
            self._parts.setdefault(name, []).append(value)
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as the Trainer does, with the mean parts of the loss since the last log."""
        means = {name: sum(values) / len(values) for name, values in self._parts.items() if values}
        if "loss" in logs:
            self._parts.clear()
            logs = {**logs, **{name: round(value, 6) for name, value in means.items()}}
        super().log(logs, *args, **kwargs)

    def _check_finite(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        if torch.isfinite(loss):
            return loss
        self.save_model(f"{self.args.output_dir}/stopped")
        numbers = ", ".join(str(number + 1) for number in inputs["number"].tolist())
        raise UserError(
            f"the loss is {loss.item()} in step {self.state.global_step + 1}, on data rows {numbers}: lower the "
            f"learning rate or check these rows; the current adapter was saved to {self.args.output_dir}/stopped"
        )


def plain_objective(step: Step) -> tuple[Tensor, dict[str, float]]:
    """Return the task loss alone: plain LoRA or full fine-tuning."""
    loss = step.task(step.clean)[0]
    return loss, {"task_loss": loss.item()}


def task_loss(logits: Tensor, labels: Tensor, seq2seq: bool) -> Tensor:
    """Return the mean cross-entropy of the completions' tokens, or of a classifier's labels.

    Args:
        logits: (rows, positions, vocabulary), or (rows, classes).
        labels: (rows, positions) token ids with -100 for ignored positions, or (rows) class indices.
        seq2seq: Whether logits and labels are already aligned; for a causal model, position t predicts position t+1.
    """
    if labels.dim() == 1:
        return functional.cross_entropy(logits.float(), labels)
    if not seq2seq:  # shift the labels: shifting the logits would copy them
        labels = functional.pad(labels[:, 1:], (0, 1), value=-100)
    return functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
