"""The task loss: cross-entropy of the completions' tokens, or of a classifier's labels."""

from typing import Literal

from torch import Tensor
from torch.nn import functional


def task_loss(logits: Tensor, labels: Tensor, seq2seq: bool, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy over a batch's learned tokens, or over a classifier's rows.

    Args:
        logits: (rows, positions, vocabulary), or (rows, classes).
        labels: (rows, positions) token ids with -100 for ignored positions, or (rows) class indices.
        seq2seq: Whether logits and labels are already aligned; for a causal model, position t predicts position t+1.
        smoothing: The share of the target's probability that is spread evenly over all classes.
    """
    return _cross_entropy(logits, labels, seq2seq, smoothing, "mean")


def row_losses(logits: Tensor, labels: Tensor, seq2seq: bool, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of each row, summed over its learned tokens: (rows); arguments as in `task_loss`."""
    return _cross_entropy(logits, labels, seq2seq, smoothing, "none").view(len(labels), -1).sum(1)


def count_learned(labels: Tensor, seq2seq: bool) -> Tensor:
    """Return how many tokens of each row enter the loss (1 for a class): (rows)."""
    # A causal model does not predict the first token.
    learned = labels if labels.dim() == 1 or seq2seq else labels[:, 1:]
    return (learned != -100).view(len(labels), -1).sum(1)


def _cross_entropy(
    logits: Tensor, labels: Tensor, seq2seq: bool, smoothing: float, reduction: Literal["mean", "none"]
) -> Tensor:
    if labels.dim() > 1 and not seq2seq:  # shift the labels: shifting the logits would copy them
        labels = functional.pad(labels[:, 1:], (0, 1), value=-100)
    return functional.cross_entropy(
        logits.float().flatten(0, -2),
        labels.flatten(),
        ignore_index=-100,
        reduction=reduction,
        label_smoothing=smoothing,
    )
