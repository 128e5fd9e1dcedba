"""Model arguments on the format of a base's weights: read from a GGUF file, or held in 4 bits for QLoRA."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError

WEIGHT_FORMAT = ("gguf_file", "load_in_4bit")
"""The model arguments that this module reads."""


def gguf_options(checkpoint: Path, args: Mapping[str, Any]) -> dict[str, str]:
    """Return what transformers' `from_pretrained` needs to read configuration, tokenizer or weights from a GGUF file.

    Args:
        checkpoint: The directory of the model.
        args: The model arguments; `gguf_file` names a file in the directory.

    Returns:
        The options; empty without `gguf_file`.

    Raises:
        UserError: If there is no such file, or the library gguf is not installed.
    """
    if "gguf_file" not in args:
        return {}
    name = str(args["gguf_file"])
    if not (checkpoint / name).is_file():
        there = ", ".join(sorted(path.name for path in checkpoint.glob("*.gguf"))) or "none"
        raise UserError(f"--model_args: no gguf_file '{name}' in '{checkpoint}'; GGUF files there: {there}")
    if importlib.util.find_spec("gguf") is None:
        raise UserError("--model_args: gguf_file needs the library gguf: pip install gguf")
    return {"gguf_file": name}


def weight_options(checkpoint: Path, args: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return what `from_pretrained` needs to load the weights in the format that the model arguments ask for.

    Args:
        checkpoint: The directory of the model.
        args: The model arguments. The weights of a `gguf_file` become dense; with `load_in_4bit`, weights are held in 4
            bits as QLoRA does (Dettmers et al. 2023): NF4 with double quantisation.
        dtype: The name of the data type that layers of 4 bits compute in; `auto` is bfloat16.

    Returns:
        The options; empty for an ordinary checkpoint.

    Raises:
        UserError: If an argument is wrong, both are given, or a library is not installed.
    """
    gguf, quantised = gguf_options(checkpoint, args), _four_bit_options(args, dtype)
    if gguf and quantised:
        raise UserError("--model_args: load_in_4bit can't be used with gguf_file: leave one of them out")
    if not gguf:
        return quantised
    from transformers import GgufConfig

    return {**gguf, "quantization_config": GgufConfig(dequantize=True)}


def forget_gguf(model: Any) -> None:
    """Remove the mark of a quantised model, which the Trainer refuses, from one whose GGUF weights are dense now."""
    model.is_quantized, model.hf_quantizer = False, None
    vars(model.config).pop("quantization_config", None)


def _four_bit_options(args: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    wanted = args.get("load_in_4bit", False)
    if not isinstance(wanted, bool):
        raise UserError(f"--model_args: load_in_4bit must be true or false, got '{wanted}'")
    if not wanted:
        return {}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UserError("--model_args: load_in_4bit needs the library bitsandbytes: pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype="bfloat16" if dtype == "auto" else dtype,
        )
    }
