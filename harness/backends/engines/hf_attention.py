"""Attention from an answer to its prompt: a transformers model's attention weights, summed by segment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import AttentionQuery
from holdfast.harness.backends.engines.hf_loading import Loaded
from holdfast.language.text import encodable

if TYPE_CHECKING:
    import numpy as np

    Shares = np.ndarray[Any, np.dtype[np.float64]]


def attention_shares(loaded: Loaded, query: AttentionQuery) -> Shares | None:
    """Return the attention from each segment of an answer to each segment of its prompt's content.

    Attention is averaged over layers, heads and the tokens of the answer's segment, summed over the tokens of the
    prompt's segment, and normalised. It comes from one forward pass over prompt and answer with eager attention, the
    only implementation that returns weights; for a seq2seq model it is the cross-attention.

    Args:
        loaded: The model, with the adapter active.
        query: The prompt, the answer and their segments.

    Returns:
        (k, p) for k answer segments and p prompt segments, each row summing to one. None if the content isn't found
        in the rendered prompt, a segment has no tokens, or prompt and answer exceed the model's context.

    Raises:
        UserError: If the tokenizer is not a fast one, which is needed for the offsets of its tokens.
    """
    import numpy as np
    import torch

    prompting = loaded.promptings.of(query.adapter)
    [rendered] = prompting.render([query.prompt])
    offset = rendered.rfind(query.content)
    if offset < 0:
        return None
    special = prompting.template is None
    prompt = _Tokenized(prompting.tokenizer, rendered, special=special, ends=prompting.seq2seq)
    answer = _Tokenized(prompting.tokenizer, query.output, special=False)
    columns = [prompt.tokens_of(start + offset, end + offset) for start, end in query.content_spans]
    rows = [answer.tokens_of(*span) for span in query.output_spans]
    if not all((*columns, *rows)):
        return None
    device = loaded.model.device
    with torch.inference_mode(), _eager(loaded.model):
        if prompting.seq2seq:
            start = torch.full((1, 1), prompting.decoder_start)
            ids = torch.cat([start, answer.ids], dim=1)
            layers = loaded.model(
                input_ids=prompt.ids.to(device), decoder_input_ids=ids.to(device), output_attentions=True
            ).cross_attentions
            first = 1
        else:
            ids = torch.cat([prompt.ids, answer.ids], dim=1)
            if ids.shape[1] > prompting.max_length:
                return None
            layers = loaded.model(input_ids=ids.to(device), output_attentions=True).attentions
            first = prompt.ids.shape[1]
    weights = torch.stack([layer[0].float().mean(0) for layer in layers]).mean(0)[first:].cpu().numpy()
    if max(map(max, rows)) >= len(weights):
        return None
    sums = [[weights[np.ix_(row, column)].sum() for column in columns] for row in rows]
    shares: Shares = np.array(sums, dtype=np.float64)
    total = shares.sum(1, keepdims=True)
    return shares / total if (total > 0).all() else None


class _Tokenized:
    """A text as token ids (1, n), with the span of characters behind each token."""

    def __init__(self, tokenizer: Any, text: str, *, special: bool, ends: bool = True) -> None:
        if not tokenizer.is_fast:
            raise UserError("--attention needs a fast tokenizer, which gives the character offsets of its tokens")
        found = tokenizer(encodable(text), add_special_tokens=special, return_offsets_mapping=True, return_tensors="pt")
        self._offsets = found["offset_mapping"][0].tolist()
        last = max((i for i, (first, end) in enumerate(self._offsets) if end > first), default=-1)
        length = None if ends else last + 1  # without the end token that some tokenizers append
        self.ids, self._offsets = found["input_ids"][:, :length], self._offsets[:length]

    def tokens_of(self, start: int, end: int) -> list[int]:
        return [i for i, (first, last) in enumerate(self._offsets) if first < end and last > start]


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Use eager attention, which returns its weights, within the block."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
