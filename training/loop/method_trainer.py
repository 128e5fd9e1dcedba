"""transformers' Trainer with a pluggable loss (objective) and pluggable noise on the weights during a step."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import EvalPrediction, Trainer

from holdfast.errors import UserError
from holdfast.metrics.classes import class_measures, confusion_counts
from holdfast.training.contract import Objective, Step, StepNoise
from holdfast.training.examples import Example
from holdfast.training.folder import whole_checkpoint
from holdfast.training.loop.batches import Perturber
from holdfast.training.loop.task_loss import count_learned, row_losses, task_loss


class _Diverged(UserError):
    """The loss is NaN or infinite."""


class MethodTrainer(Trainer):  # type: ignore[misc]
    """A Trainer whose loss is an objective and whose steps may run under weight noise or SAM.

    The micro-batches of an optimizer step, on all ranks, give the loss and the gradients of one joint batch. Evaluation
    gives the mean over all learned tokens, whatever the batch size. Saving, checkpoints, devices and logging work as in
    the Trainer.

    Args:
        args: Passed on to the Trainer, as are further keyword arguments.
        objective: The loss of a micro-batch.
        perturber: Perturbs prompts for the objective.
        noise: Runs the micro-batches of each step under noise; None for plain passes.
        noise_name: What the noise is called, for messages.
    """

    loss_is_scaled_for_ga = True  # `compute_loss` returns the micro-batch's part of the step's loss

    def __init__(
        self,
        *args: Any,
        objective: Objective,
        perturber: Perturber,
        noise: StepNoise | None = None,
        noise_name: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, compute_metrics=_measures, **kwargs)
        self._objective, self._perturber, self._noise = objective, perturber, noise
        self.remedy = "lower the learning rate"
        if noise:
            self.remedy += f" or the strength of the noise {noise_name} (--noise_args)"
        self._parts: dict[str, list[tuple[float, float]]] = {}
        self._waiting: list[dict[str, Any]] = []
        self._records_parts = True
        self.model_accepts_loss_kwargs = False  # this class counts the tokens itself

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list[Any], Any]:
        """Return the micro-batches of a step, and how many tokens and rows they hold (on all ranks) in a tensor (2)."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        totals = sum((_size(batch).to(device) for batch in batches), torch.zeros(2, device=device))
        if self.args.average_tokens_across_devices:
            totals = self.accelerator.reduce(totals, "sum")
        return batches, totals

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Compute a micro-batch's gradients; under noise, those of all the step's micro-batches with its last."""
        try:
            return self._gradients(model, inputs, num_items_in_batch)
        except _Diverged:  # here the noise is undone, so that the weights saved are the adapter's own
            with whole_checkpoint(Path(self.args.output_dir, "stopped")):
                self.save_model(f"{self.args.output_dir}/stopped")
            raise

    def _gradients(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> Tensor:
        if self._noise is None:
            return self._pass(model, inputs, num_items_in_batch)
        self._waiting.append(inputs)
        # DeepSpeed's engine counts micro-batches itself, so there each is a step of the noise's own.
        if not (self.accelerator.sync_gradients or self.is_deepspeed_enabled):
            return torch.zeros((), device=self.args.device)
        batches, self._waiting = self._waiting, []
        passes = count()

        def run() -> Tensor:
            self._records_parts = next(passes) == 0  # SAM's second pass is at another point than the logged loss
            *others, last = batches
            with self.accelerator.no_sync(model):  # ranks exchange gradients once, with the last micro-batch
                losses = [self._pass(model, batch, num_items_in_batch) for batch in others]
            return torch.stack([*losses, self._pass(model, last, num_items_in_batch)]).sum()

        return self._noise.backward(run, self.state.global_step, self.state.max_steps)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Compute a micro-batch's part of the step's objective."""
        numbers = inputs.pop("number").tolist()
        seq2seq, now = "decoder_input_ids" in inputs, self.state.global_step
        share, row_share = (_size(inputs) / num_items_in_batch.clamp(min=1)).tolist()

        def perturbed_examples() -> list[Example]:
            return self._perturber.perturb_examples(numbers, now)

        def perturbed() -> dict[str, Tensor]:
            batch = self._perturber.encode(perturbed_examples())
            return {name: value.to(self.args.device) for name, value in batch.items()}

        smoothing = self.args.label_smoothing_factor
        step = Step(
            model=model,
            clean=inputs,
            perturbed=perturbed,
            perturbed_examples=perturbed_examples,
            numbers=numbers,
            task_loss=lambda logits, labels: task_loss(logits, labels, seq2seq, smoothing),
            number=now,
            progress=now / max(1, self.state.max_steps),
            share=share,
            row_share=row_share,
        )
        loss, parts = self._objective(step)
        parts = {**parts, **self._perturber.take_measures()}
        for name, value in parts.items() if self._records_parts else ():
            self._parts.setdefault(name, []).append((value, share))
        # Data parallelism averages the ranks' gradients, but their parts add up.
        ranks = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
        return loss * (share * ranks)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[None, Tensor, Tensor]:
        """Return the loss of every row and the number of its learned tokens, in place of logits and labels.

        For a classifier, they are the loss and the likeliest class of every row (rows, 2), and its label.
        """
        inputs = self._prepare_inputs(inputs)
        labels, seq2seq = inputs["labels"], "decoder_input_ids" in inputs
        given = {name: value for name, value in inputs.items() if name not in ("labels", "number")}
        with torch.no_grad(), self.compute_loss_context_manager():
            logits = model(**given).logits
            losses = row_losses(logits, labels, seq2seq, self.args.label_smoothing_factor)
        if labels.dim() == 1:
            return None, torch.stack([losses, logits.argmax(-1).to(losses.dtype)], dim=1), labels
        return None, losses, count_learned(labels, seq2seq)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as the Trainer does, with the mean parts of the loss since the last log."""
        if "loss" in logs:
            logs = {**logs, **{name: round(_weighted_mean(values), 6) for name, values in self._parts.items()}}
            self._parts.clear()
        super().log(logs, *args, **kwargs)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save a checkpoint whole or not at all."""
        with whole_checkpoint(Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")):
            super()._save_checkpoint(model, trial)

    def _pass(self, model: Any, inputs: dict[str, Any], size: Any) -> Tensor:
        """Run forward and backward on one micro-batch and return its part of the loss."""
        loss: Tensor = super().training_step(model, dict(inputs), size)
        if torch.isfinite(loss):
            return loss
        numbers = ", ".join(str(number + 1) for number in inputs["number"].tolist())
        raise _Diverged(
            f"the loss is {loss.item()} in step {self.state.global_step + 1}, on data rows {numbers}: "
            f"{self.remedy}, or check these rows; the current adapter was saved to {self.args.output_dir}/stopped"
        )


def plain_objective(step: Step) -> tuple[Tensor, dict[str, float]]:
    """Return the task loss alone: plain LoRA or full fine-tuning."""
    loss = step.task(step.clean)[0]
    return loss, {"task_loss": loss.item()}


def _size(batch: dict[str, Tensor]) -> Tensor:
    """Return how many tokens (for a classifier: rows) a batch has to learn, and how many rows."""
    learned = count_learned(batch["labels"], "decoder_input_ids" in batch)
    return torch.stack([learned.sum(), learned.new_tensor(len(learned))]).float()


def _measures(found: EvalPrediction) -> dict[str, float]:
    """Return the mean loss; for a classifier, also accuracy and F1."""
    if found.predictions.ndim == 2:
        losses, predicted = found.predictions[:, 0], found.predictions[:, 1].astype(int)
        classes = int(max(found.label_ids.max(), predicted.max())) + 1
        counts = confusion_counts(found.label_ids, predicted, classes)
        return {"loss": float(losses.mean(dtype="float64")), **class_measures(counts)}
    return {"loss": float(found.predictions.sum(dtype="float64") / max(1, found.label_ids.sum()))}


def _weighted_mean(values: list[tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in values) / (sum(weight for _, weight in values) or 1.0)
