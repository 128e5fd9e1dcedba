"""How much less likely a perturbed prompt makes the segments of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from holdfast.training.contract import Batch
    from holdfast.training.objectives.segments.losses import Span


def likelihood_drifts(
    clean: tuple[Tensor, Batch], perturbed: tuple[Tensor, Batch], spans: Sequence[Sequence[Span]]
) -> list[Tensor]:
    """Return how much less likely each segment of an answer is under the perturbed prompt than under the clean one.

    The drift of a segment is the rise of its mean cross-entropy in nats per token, and 0 if it falls [own]. Its
    gradient makes the segment's very tokens likelier under the perturbed prompt, which no distance of states does.

    Args:
        clean: Logits (rows, positions, vocabulary) and batch of the answers after the clean prompts.
        perturbed: The same after the perturbed prompts; the gradient flows through these logits.
        spans: For each row, its segments as token spans of the answer.

    Returns:
        The drifts (k) of each row's k segments.
    """
    before, after = (_answer_losses(*side) for side in (clean, perturbed))
    drifts = []
    for old, new, parts in zip(before, after, spans, strict=True):
        length = min(len(old), len(new))  # a long prompt may leave less room for the answer
        whole = [(start, end) for start, end in parts if end <= length]
        rises = [(new[start:end].mean() - old[start:end].mean()).clamp(min=0) for start, end in whole]
        drifts.append(torch.stack(rises) if rises else new[:0])
    return drifts


def _answer_losses(logits: Tensor, batch: Batch) -> list[Tensor]:
    """Return the cross-entropy of each token of each row's answer."""
    labels = batch["labels"]
    if "decoder_input_ids" not in batch:  # a causal model predicts the next position
        logits, labels = logits[:, :-1], labels[:, 1:]
    losses = functional.cross_entropy(logits.float().transpose(1, 2), labels, ignore_index=-100, reduction="none")
    return [row[label != -100] for row, label in zip(losses, labels, strict=True)]
