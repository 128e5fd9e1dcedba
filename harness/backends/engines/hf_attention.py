"""What an answer looks at: the attention weights of a transformers model, summed by segments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Attended
from holdfast.harness.backends.engines.hf_loading import Loaded

if TYPE_CHECKING:
    import numpy as np

    Shares = np.ndarray[Any, np.dtype[np.float64]]


def attention_shares(loaded: Loaded, rendered: str, asked: Attended) -> Shares | None:
    """Attention from each segment of an answer to each segment of its prompt's content: (k, p), rows summing to one.

    A mean over layers, heads and the segment's tokens, of the decoder's attention (a seq2seq model's cross attention),
    read off one forward pass over prompt and answer under eager attention, the one kind that shows its weights.
    `rendered` is the prompt in the model's chat template. None where the content can't be found in it, a segment has no
    token, or the model can't hold both. Raises UserError for a tokenizer that doesn't know where its tokens come from.
    """
    import numpy as np
    import torch

    offset = rendered.rfind(asked.content)
    if offset < 0:
        return None
    prompt = _Tokenized(loaded.tokenizer, rendered, special=not loaded.chat)
    answer = _Tokenized(loaded.tokenizer, asked.output, special=False)
    columns = [prompt.tokens_of(start + offset, end + offset) for start, end in asked.content_spans]
    rows = [answer.tokens_of(*span) for span in asked.output_spans]
    if not all((*columns, *rows)):
        return None
    device = loaded.model.device
    with torch.inference_mode(), _eager(loaded.model):
        if loaded.seq2seq:
            start = torch.full((1, 1), getattr(loaded.model.config, "decoder_start_token_id", None) or 0)
            ids = torch.cat([start, answer.ids], dim=1)
            layers = loaded.model(
                input_ids=prompt.ids.to(device), decoder_input_ids=ids.to(device), output_attentions=True
            ).cross_attentions
            first = 1
        else:
            ids = torch.cat([prompt.ids, answer.ids], dim=1)
            if ids.shape[1] > loaded.max_length:
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
    """A text as token ids (1, n), and which of them stand for a stretch of its characters."""

    def __init__(self, tokenizer: Any, text: str, *, special: bool) -> None:
        if not tokenizer.is_fast:
            raise UserError("--attention needs a fast tokenizer, which knows where its tokens come from")
        valid = text.encode("utf-8", "replace").decode()
        found = tokenizer(valid, add_special_tokens=special, return_offsets_mapping=True, return_tensors="pt")
        self.ids = found["input_ids"]
        self._offsets = found["offset_mapping"][0].tolist()

    def tokens_of(self, start: int, end: int) -> list[int]:
        return [i for i, (first, last) in enumerate(self._offsets) if first < end and last > start]


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Within the block, attention is computed in the one way that shows its weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)
