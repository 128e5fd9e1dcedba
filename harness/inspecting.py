"""`holdfast inspect`: the geometry of an adapter, module by module."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.checkpoints import find_checkpoint
from holdfast.metrics.geometry import Geometry, geometry_of, total


def inspect_adapter(name: str) -> dict[str, Geometry]:
    """The geometry of every LoRA pair in a peft directory, by module; raises UserError where there is none."""
    from peft import LoraConfig, PeftConfig
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = find_checkpoint(name, "adapter")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise UserError(f"'{name}' has no adapter_model.safetensors: is it a peft adapter?")
    config = PeftConfig.from_pretrained(str(folder))
    if not isinstance(config, LoraConfig):
        raise UserError(f"'{name}' is a {config.peft_type} adapter: only LoRA's update is a product of two factors")
    if config.use_dora:
        raise UserError(f"'{name}' is a DoRA adapter: its update is no product of two factors alone")
    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise UserError(f"{weights} is not a readable safetensors file ({error})") from None
    found = {}
    for key, a in tensors.items():
        if key.endswith(".lora_A.weight"):
            module = key.removesuffix(".lora_A.weight")
            b = tensors.get(f"{module}.lora_B.weight")
            if b is None or a.dim() != 2:
                raise UserError(f"{weights}: {module} has no matching lora_B")
            short = module.removeprefix("base_model.model.")
            found[short] = geometry_of(a, b, scale_of(config, short, len(a)))
    if not found:
        raise UserError(f"'{name}' holds no LoRA pair")
    return found


def scale_of(config: Any, module: str, rank: int) -> float:
    """s of one module: alpha / r, or alpha / sqrt(r) under rsLoRA; `alpha_pattern` goes over alpha."""
    alpha = next(
        (value for key, value in (config.alpha_pattern or {}).items() if module.endswith(key)), config.lora_alpha
    )
    return float(alpha) / (rank**0.5 if config.use_rslora else rank)


def print_geometry(name: str, *, as_json: bool) -> None:
    """Print a table, the whole adapter last; or JSON."""
    modules = inspect_adapter(name)
    whole = total(modules)
    if as_json:
        print(json.dumps({"total": asdict(whole), "modules": {key: asdict(g) for key, g in modules.items()}}, indent=2))
        return
    columns = ("a_norm", "b_norm", "norm", "spectral_norm", "effective_rank", "rank")
    width = max(map(len, modules)) + 2
    print(f"{'module':<{width}}" + "".join(f"{column:>16}" for column in columns))
    for key, geometry in {**modules, "total": whole}.items():
        print(f"{key:<{width}}" + "".join(_cell(asdict(geometry), column) for column in columns))


def _cell(values: Mapping[str, float], column: str) -> str:
    value = values[column]
    return f"{value:>16}" if isinstance(value, int) else f"{value:>16.4f}"
