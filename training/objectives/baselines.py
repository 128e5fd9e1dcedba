"""What is added to the task loss: the perturbed prompt's loss, or how far its answer may move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd

from holdfast.training.examples import Example

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Step:
    """What an objective sees: the model, the batch as it is and under perturbed prompts (same completions, same
    order), whose rows they are, the task loss of logits, the optimizer step and the share of training that is done."""

    model: Any
    clean: Batch
    perturbed: Callable[[], Batch]
    perturbed_examples: Callable[[], list[Example]]
    numbers: list[int]
    task_loss: Callable[[Tensor, Tensor], Tensor]
    number: int
    progress: float
    settings: Mapping[str, Any]


Result = tuple[Tensor, dict[str, float]]
"""The loss, and what is logged of it."""


def none(step: Step) -> Result:
    """The task loss alone: plain LoRA or full fine-tuning."""
    loss = _task(step, step.clean)[0]
    return loss, {"task_loss": loss.item()}


def augment(step: Step) -> Result:
    """The task loss on the prompt and on its perturbed version, half each."""
    clean, perturbed = _task(step, step.clean)[0], _task(step, step.perturbed())[0]
    loss = (clean + perturbed) / 2
    return loss, {"task_loss": clean.item(), "perturbed_loss": perturbed.item()}


def consistency(step: Step) -> Result:
    """The task loss and the token KL from the clean to the perturbed prompt's predictions, the clean side under
    stop-gradient. `weight` (1.0) scales it."""
    loss, logits = _task(step, step.clean)
    perturbed = step.perturbed()
    other = step.model(**inputs_of(perturbed)).logits
    divergence = token_kl(_answers(logits.detach(), step.clean), _answers(other, perturbed))
    total = loss + float(step.settings.get("weight", 1.0)) * divergence
    return total, {"task_loss": loss.item(), "kl": divergence.item()}


def rdrop(step: Step) -> Result:
    """R-Drop (Liang et al. 2021): two passes with different dropout, the mean task loss, and the symmetric KL between
    them. `weight` (1.0) scales it. Without dropout (`has_dropout`) the passes agree and it is the task loss."""
    first, one = _task(step, step.clean)
    second, two = _task(step, step.clean)
    a, b = _answers(one, step.clean), _answers(two, step.clean)
    divergence = (token_kl(a, b) + token_kl(b, a)) / 2
    loss = (first + second) / 2
    total = loss + float(step.settings.get("weight", 1.0)) * divergence
    return total, {"task_loss": loss.item(), "kl": divergence.item()}


def has_dropout(model: nn.Module) -> bool:
    """Whether anything in the model is dropped at random in training: by a layer, or by a share that a module keeps."""
    return any(
        value > 0
        for module in model.modules()
        for name, value in vars(module).items()
        if isinstance(value, (int, float)) and ("drop" in name or (name == "p" and isinstance(module, _DropoutNd)))
    )


def token_kl(p: Tensor, q: Tensor) -> Tensor:
    """The mean over rows of KL(p || q) for logits (rows, vocabulary)."""
    log_p, log_q = p.float().log_softmax(-1), q.float().log_softmax(-1)
    return functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean")


def _task(step: Step, batch: Batch) -> tuple[Tensor, Tensor]:
    logits = step.model(**inputs_of(batch)).logits
    return step.task_loss(logits, batch["labels"]), logits


def inputs_of(batch: Batch) -> Batch:
    """What the model is given: a seq2seq model needs the labels to shift its decoder's input from."""
    names = ("input_ids", "attention_mask", "decoder_input_ids")
    return {name: batch[name] for name in names if name in batch}


def _answers(logits: Tensor, batch: Batch) -> Tensor:
    """The logits (rows, vocabulary) that predict a completion's tokens; of a classifier, all of them."""
    labels = batch["labels"]
    if labels.dim() == 1:
        return logits
    if "decoder_input_ids" in batch:
        return logits[labels != -100]
    return logits[:, :-1][labels[:, 1:] != -100]
