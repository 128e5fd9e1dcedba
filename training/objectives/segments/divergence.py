"""Divergence between the predictions of two passes, and detection of dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd

if TYPE_CHECKING:
    from holdfast.training.contract import Batch


def token_kl(p: Tensor, q: Tensor) -> Tensor:
    """Return the mean over rows of KL(p || q) for logits (rows, vocabulary)."""
    log_p, log_q = p.float().log_softmax(-1), q.float().log_softmax(-1)
    return functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean")


def answer_logits(logits: Tensor, batch: Batch) -> Tensor:
    """Return the logits (rows, vocabulary) that predict the completions' tokens; all of them for a classifier.

    Args:
        logits: (rows, positions, vocabulary), or (rows, classes) of a classifier.
        batch: The batch with its labels.
    """
    labels = batch["labels"]
    if labels.dim() == 1:
        return logits
    if "decoder_input_ids" in batch:
        return logits[labels != -100]
    return logits[:, :-1][labels[:, 1:] != -100]


def has_dropout(model: nn.Module) -> bool:
    """Return whether the model has any active dropout: a dropout layer, or a module with a dropout rate above 0."""
    return any(
        value > 0
        for module in model.modules()
        for name, value in vars(module).items()
        if isinstance(value, (int, float)) and ("drop" in name or (name == "p" and isinstance(module, _DropoutNd)))
    )
