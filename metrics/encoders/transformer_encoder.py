"""Sentence encoders loaded with transformers: mean or first-token pooling, unit vectors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.language.text import encodable
from holdfast.metrics.metric import Encode
from holdfast.paths import expanded
from holdfast.reading import read_json

if TYPE_CHECKING:
    import numpy as np

    Words = np.ndarray[Any, np.dtype[np.float16]]

MAX_TOKENS = 256
TOKENS_AT_ONCE = {"cpu": 2048, "cuda": 4096}
"""The approximate number of tokens per batch, padding included; larger batches no longer fit a CPU's caches."""


def load_transformer(name: str) -> Encode:
    """Load an encoder in sentence-transformers or transformers format.

    It pools as its `1_Pooling/config.json` specifies (mean if there is none). It runs on a GPU if one is available, and
    under bf16 autocast if the processor has bf16 instructions.

    Args:
        name: A directory or a hub name.

    Raises:
        UserError: If the encoder can't be loaded, or has modules other than pooling and normalisation.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    where = str(expanded(name)) if os.path.isdir(expanded(name)) else name
    try:
        tokenizer = AutoTokenizer.from_pretrained(where)
        with without_progress_bar():
            model = AutoModel.from_pretrained(where, dtype="float32").eval()
    except Exception as error:  # transformers raises whatever is in the files
        reason = str(error).strip().split("\n")[0]
        raise UserError(
            f"encoder '{name}' can't be loaded: {reason} (holdfast ls encoders lists the built-in ones)"
        ) from None
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return _Encoder(tokenizer, model.to(device), _first_token(where, name), device)


@contextmanager
def without_progress_bar() -> Iterator[None]:
    """Hide the progress bar for loading weights."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


class _Encoder:
    """Encodes n texts as an (n, d) float32 array, in batches of texts of similar length."""

    def __init__(self, tokenizer: Any, model: Any, first_token: bool, device: Any) -> None:
        self._tokenizer, self._model, self._first, self._device = tokenizer, model, first_token, device
        self._longest = min(MAX_TOKENS, getattr(model.config, "max_position_embeddings", MAX_TOKENS))
        if tokenizer.is_fast:  # only these tell where a token is
            self.with_words = self._with_words

    def __call__(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        import numpy as np

        rows = np.zeros((len(texts), self._model.config.hidden_size), dtype=np.float32)
        ids = self._tokenized(texts)["input_ids"] if texts else []
        for chosen, _, pooled in self._batches(ids):
            rows[chosen] = pooled
        return rows

    def _with_words(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[np.ndarray[Any, np.dtype[np.float32]], list[Words]]:
        """Return the vectors of n texts (n, d), and for each text those of its words: (words, d), float16, of length
        one.

        A word's vector is the mean of its tokens' last hidden states; it is zero for a word that the encoder
        doesn't know or that lies beyond its longest text.

        Args:
            texts: n texts.
            spans: The first character and the end of each word, for each text.
        """
        import numpy as np

        width = self._model.config.hidden_size
        rows = np.zeros((len(texts), width), dtype=np.float32)
        found: list[Words] = [np.zeros((len(each), width), np.float16) for each in spans]
        read = self._tokenized(texts, return_offsets_mapping=True)
        unknown = self._tokenizer.unk_token_id
        for chosen, states, pooled in self._batches(read["input_ids"]):
            rows[chosen] = pooled
            for i, tokens in zip(chosen, states.float().cpu().numpy(), strict=True):
                known = [
                    place if token != unknown else (0, 0)
                    for token, place in zip(read["input_ids"][i], read["offset_mapping"][i], strict=True)
                ]
                found[i][:] = _by_word(tokens, known, spans[i])
        return rows, found

    def _tokenized(self, texts: Sequence[str], **options: bool) -> Any:
        return self._tokenizer([*map(encodable, texts)], truncation=True, max_length=self._longest, **options)

    def _batches(
        self, ids: Sequence[list[int]]
    ) -> Iterator[tuple[list[int], Any, np.ndarray[Any, np.dtype[np.float32]]]]:
        """Yield batches of texts of similar length: their places, last hidden states (n, tokens, d) and pooled vectors
        (n, d)."""
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        while order:
            size = max(1, TOKENS_AT_ONCE[self._device.type] // max(1, len(ids[order[-1]])))
            chosen, order = order[-size:], order[:-size]
            batch = self._tokenizer.pad({"input_ids": [ids[i] for i in chosen]}, return_tensors="pt")
            yield chosen, *self._read(batch)

    def _read(self, batch: Any) -> tuple[Any, np.ndarray[Any, np.dtype[np.float32]]]:
        """Return the last hidden states (n, tokens, d) of a batch, and its pooled vectors (n, d)."""
        import torch

        batch = batch.to(self._device)
        mask = batch["attention_mask"].unsqueeze(-1)
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=_has_bf16()):
            states = self._model(**batch).last_hidden_state
            pooled = states[:, 0] if self._first else (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            rows: np.ndarray[Any, np.dtype[np.float32]] = (
                torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
            )
        return states, rows


def _by_word(
    states: Any, offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the mean state (words, d) of each word's tokens, scaled to length one."""
    import numpy as np

    places = [np.arange(len(offsets))[[a < end and b > start and b > a for a, b in offsets]] for start, end in spans]
    rows = np.array([states[place].mean(0) if len(place) else np.zeros(states.shape[1]) for place in places])
    rows = rows.reshape(len(spans), states.shape[1])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: np.ndarray[Any, np.dtype[np.float32]] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def _first_token(where: str, name: str) -> bool:
    """Return whether the encoder pools by the first token; otherwise it pools by the mean."""
    modules = _settings(where, "modules.json")
    if not isinstance(modules or [], list) or not all(isinstance(module, dict) for module in modules or ()):
        raise UserError(f"encoder '{name}': its modules.json is not a list of modules; save the encoder again")
    kinds = [str(module.get("type")).rpartition(".")[2] for module in modules or ()]
    if unknown := set(kinds) - {"Transformer", "Pooling", "Normalize"}:
        raise UserError(f"encoder '{name}' has an unsupported module: {min(unknown)}; use another encoder")
    pooling = _settings(where, "1_Pooling/config.json") or {}
    if not isinstance(pooling, dict):
        raise UserError(f"encoder '{name}': its 1_Pooling/config.json is not a JSON object; save the encoder again")
    if pooling.get("pooling_mode_cls_token"):
        return True
    if not pooling.get("pooling_mode_mean_tokens", True):
        raise UserError(f"encoder '{name}' has an unsupported pooling mode; expected mean or first token (cls)")
    return False


def _settings(where: str, file: str) -> Any:
    """Return a JSON file of the encoder, from its directory or the hub; None if it doesn't exist."""
    from transformers.utils import cached_file

    found = cached_file(
        where,
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        _raise_exceptions_for_gated_repo=False,
    )
    return read_json(Path(found)) if found else None


def _has_bf16() -> bool:
    """Return whether the processor has instructions for bf16 matrix products."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
