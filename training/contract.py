"""What a method is given and what it returns, for each of the three places where methods act."""

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
    """What the builder of an objective or a noise may look at: everything of the training but its data order.

    `encode` turns examples into a padded batch, as the trainer's collator does. `full` says that every weight is
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
    """What an objective sees of one micro-batch.

    `clean` is the batch as it is; `perturbed()` the same completions in the same order under perturbed prompts, and
    `perturbed_examples()` those as examples. `numbers` are the rows' indices into the training examples.
    `task_loss(logits, labels)` is the loss without any objective; `number` counts optimizer steps from 0 and
    `progress` is the share of them that is done, in [0, 1].
    """

    model: Any
    clean: Batch
    perturbed: Callable[[], Batch]
    perturbed_examples: Callable[[], list[Example]]
    numbers: list[int]
    task_loss: Callable[[Tensor, Tensor], Tensor]
    number: int
    progress: float

    def task(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run the model on a batch; its task loss (scalar) and logits."""
        logits = self.model(**model_inputs(batch)).logits
        return self.task_loss(logits, batch["labels"]), logits


Objective: TypeAlias = "Callable[[Step], tuple[Tensor, dict[str, float]]]"
"""Step -> the loss to minimise (a scalar with a gradient) and values to log with it."""


class StepNoise(Protocol):
    """Runs the micro-batches of a training under perturbed weights."""

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        """Run one micro-batch of optimizer step `step` of `total`.

        Args:
            run: One forward and backward pass: adds to the gradients, returns the detached loss. May be called more
                than once; the gradients left at the end are those that the optimizer uses.
            step: The optimizer step, from 0; all its micro-batches must see the same noise.
            total: The number of optimizer steps of the training.

        Returns:
            The loss to log. Frozen weights are bit for bit what they were, and no noise is left on the model.
        """
        ...


Correct: TypeAlias = "Callable[[ModuleUpdate], Correction]"
"""One module's update -> what it becomes, with its account."""


def model_inputs(batch: Mapping[str, Tensor]) -> Batch:
    """Return the tensors of a batch that the model takes: all but labels, which a seq2seq decoder gets shifted."""
    names = ("input_ids", "attention_mask", "decoder_input_ids")
    return {name: batch[name] for name in names if name in batch}
