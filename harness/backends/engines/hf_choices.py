"""Log-likelihoods of given continuations under a transformers model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from holdfast.harness.backends.engines.hf_loading import Loaded
from holdfast.harness.backends.engines.hf_memory import AdaptiveBatches
from holdfast.harness.backends.engines.hf_mixed import mixed

if TYPE_CHECKING:
    from holdfast.harness.backends.engines.prompting import Tokens


def log_likelihoods(
    loaded: Loaded,
    asked: Sequence[tuple[Tokens, int]],
    prompts: Sequence[Tokens] | None,
    routes: Sequence[str] | None,
    batches: AdaptiveBatches,
) -> list[float]:
    """Return log P(row[start:] | row[:start]), in nats, for each (row of token ids, start).

    Args:
        loaded: The model.
        asked: The rows and their starts; for a seq2seq model, the decoder's rows.
        prompts: For a seq2seq model, the encoder's row for each decoder row.
        routes: The adapter name in peft for each row, if they differ.
        batches: Runs the rows in batches that fit into memory.
    """

    def read(chosen: Sequence[int]) -> list[float]:
        with mixed(loaded.model, [routes[i] for i in chosen] if routes else None):
            return _batch(loaded, [asked[i] for i in chosen], [prompts[i] for i in chosen] if prompts else None)

    order = sorted(range(len(asked)), key=lambda i: (routes[i] if routes else "", -len(asked[i][0])))
    found = dict(zip(order, batches.map(order, read), strict=True))
    return [found[i] for i in range(len(asked))]


def _batch(loaded: Loaded, asked: Sequence[tuple[Tokens, int]], prompts: Sequence[Tokens] | None) -> list[float]:
    import torch
    from torch.nn.functional import cross_entropy

    ids, mask = _padded(loaded, [row for row, _ in asked])
    targets = ids.masked_fill(mask == 0, -100)
    for i, (_, start) in enumerate(asked):
        targets[i, :start] = -100
    if prompts:
        encoder_ids, encoder_mask = _padded(loaded, prompts)
        inputs: dict[str, Any] = {"input_ids": encoder_ids, "attention_mask": encoder_mask}
        inputs |= {"decoder_input_ids": ids, "decoder_attention_mask": mask}
    else:
        inputs = {"input_ids": ids, "attention_mask": mask}
        if loaded.model._supports_logits_to_keep():  # logits of the prompt could take most of the memory
            inputs["logits_to_keep"] = ids.shape[1] - min(start for _, start in asked) + 1
    with torch.inference_mode():
        logits = loaded.model(**inputs).logits[:, :-1].float()
    targets = targets[:, -logits.shape[1] :]
    losses = cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100, reduction="none")
    return [-value for value in losses.sum(1).tolist()]


def _padded(loaded: Loaded, rows: Sequence[Tokens]) -> tuple[Any, Any]:
    """Return token ids and mask, padded on the right, so that padding never changes a row's positions."""
    import numpy as np
    import torch

    width = max(map(len, rows))
    ids = np.full((len(rows), width), loaded.tokenizer.pad_token_id, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, 1
    device = loaded.model.device
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
