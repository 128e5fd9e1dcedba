"""The interfaces between training and methods: what each kind of method gets and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.corrections.factored.factors import Correction
    from holdfast.training.corrections.factored.module_update import ModuleUpdate
    from holdfast.training.examples import Example

Batch: TypeAlias = "dict[str, Tensor]"
"""Tensors by the names that transformers' models take, with `labels`; one row per example."""

Kind = Literal["causal", "seq2seq", "classification"]


@dataclass(frozen=True)
class TrainingContext:
    """A training run as the builder of an objective or a noise sees it.

    `encode` turns examples into a padded batch, as the trainer's collator does. `full` is True if every weight is
    trained, without an adapter.
    """

    model: Any
    tokenizer: Any
    kind: Kind
    examples: Sequence[Example]
    encode: Callable[[Sequence[Example]], Batch]
    seed: int
    full: bool = False


@dataclass(frozen=True)
class Step:
    """One micro-batch as an objective sees it.

    `clean` is the batch with the original prompts. `perturbed()` returns the same completions in the same order with
    perturbed prompts, and `perturbed_examples()` returns these as examples. `numbers` are the rows' indices into the
    training examples. `task_loss(logits, labels)` is the loss without any objective, a mean over learned tokens.
    `number` is the optimizer step, from 0, and `progress` the fraction of steps done, in [0, 1].

    The trainer multiplies an objective's loss by `share`, the micro-batch's share of the tokens (rows, for a
    classifier) that the optimizer step learns, so that a mean over the micro-batch's learned tokens becomes its part of
    the mean over the whole step. A mean over rows becomes that if the objective multiplies it by `per_row`.
    """

    model: Any
    clean: Batch
    perturbed: Callable[[], Batch]
    perturbed_examples: Callable[[], list[Example]]
    numbers: list[int]
    task_loss: Callable[[Tensor, Tensor], Tensor]
    number: int
    progress: float
    share: float = 1.0
    row_share: float = 1.0

    @property
    def per_row(self) -> float:
        """The micro-batch's share of the step's rows, relative to its share of the learned tokens."""
        return self.row_share / self.share if self.share else 0.0

    def task(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run the model on a batch and return its task loss (scalar) and logits."""
        logits = self.model(**model_inputs(batch)).logits
        return self.task_loss(logits, batch["labels"]), logits


Objective: TypeAlias = "Callable[[Step], tuple[Tensor, dict[str, float]]]"
"""Step -> the loss to minimise (a scalar with a gradient, the mean over the micro-batch) and values to log with it."""


class StepNoise(Protocol):
    """Runs optimizer steps under perturbed weights."""

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        """Compute the gradients of optimizer step `step` of `total`.

        Args:
            run: Makes the forward and backward passes of all the step's micro-batches: adds to the gradients and
                returns the detached loss. It may be called more than once; the optimizer uses the gradients left at the
                end, and the log shows the parts of the loss in the first call.
            step: The optimizer step, from 0.
            total: The total number of optimizer steps.

        Returns:
            The loss to log. Frozen weights must be bit-identical afterwards, with no noise left on the model.
        """
        ...


Correct: TypeAlias = "Callable[[ModuleUpdate], Correction]"
"""One module's update -> the corrected update, with a record of what changed."""


def model_inputs(batch: Mapping[str, Tensor]) -> Batch:
    """Return the model's inputs from a batch: everything but the labels, which a seq2seq decoder gets shifted."""
    names = ("input_ids", "attention_mask", "token_type_ids", "decoder_input_ids")
    return {name: batch[name] for name in names if name in batch}
