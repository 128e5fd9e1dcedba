"""Compare an adapter with its base from the headers of their files, before either is loaded."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.models.adapter_checks import PREFIX, is_target, read_config, read_shapes
from holdfast.harness.models.checkpoint_pairs import Checkpoint

Shapes = Mapping[str, tuple[int, ...]]
Pairs = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
_LAYER = re.compile(r"\.\d+\.")


def check_fit(name: str, folder: Path, base: Path) -> bool:
    """Check that an adapter's LoRA matrices fit its base, so far as the headers of safetensors files tell.

    Names that the base's files don't have may be older or newer names of its modules, except in layers beyond the
    base's last one.

    Args:
        name: The adapter's name in messages.
        folder: The adapter's directory.
        base: The base's directory.

    Returns:
        Whether the base's files have all the modules by name.

    Raises:
        UserError: If a matrix has another shape than its module, or belongs to a layer that the base doesn't have; or
            if a module that the configuration names has no matrices.
    """
    config, shapes, theirs = read_config(name, folder), read_shapes(folder), _shapes_of(base)
    if config.get("peft_type") != "LORA" or not theirs:
        return True
    pairs = _pairs(name, shapes)
    _check_biases(name, config, shapes, theirs)
    for module, (a, b) in pairs.items():
        found = theirs.get(f"{module}.weight")
        if found is not None and len(found) == 2 and found[1] > 1:  # a single column is packed numbers
            _check_shape(name, config, module, (b[0], a[1]), found)
        elif found is None and _is_beyond_last_layer(module, theirs):
            raise UserError(
                f"adapter '{name}' does not belong to this base: it changes module '{module}', which the base does not "
                "have"
            )
    if not config.get("target_parameters"):
        _check_complete(name, config, pairs, theirs)
    return all(f"{module}.weight" in theirs for module in pairs)


@lru_cache(maxsize=8)
def _shapes_of(base: Path) -> Shapes:
    """Return the shapes of a base's weights by name; empty if they aren't safetensors files."""
    try:
        return Checkpoint(base).shapes()
    except UserError:
        return {}


def _pairs(name: str, shapes: Shapes) -> Pairs:
    """Return the shapes of A and B by module."""
    found = {}
    for key, a in shapes.items():
        if key.endswith(".lora_A.weight"):
            b = shapes.get(key.replace(".lora_A.", ".lora_B."))
            module = key.removesuffix(".lora_A.weight").removeprefix(PREFIX)
            if b is None or len(a) != 2 or len(b) != 2:
                raise UserError(f"adapter '{name}': its weights are incomplete: '{module}' needs the matrices A and B")
            found[module] = a, b
    return found


def _check_shape(
    name: str, config: Mapping[str, Any], module: str, shape: tuple[int, int], found: tuple[int, ...]
) -> None:
    pooled = config.get("use_qalora") or config.get("use_bdlora")  # these have smaller matrices
    if not pooled and shape not in (found, found[::-1]):  # Conv1D stores its weights transposed
        raise UserError(
            f"adapter '{name}' does not belong to this base: '{module}' has {shape[1]} inputs and {shape[0]} outputs "
            f"in the adapter, {found[1]} and {found[0]} in the base"
        )


def _check_biases(name: str, config: Mapping[str, Any], shapes: Shapes, theirs: Shapes) -> None:
    """Raise UserError if the adapter replaces biases of the base, which peft does for all adapters at once."""
    changed = [key for key in shapes if key.endswith(".bias") and key.removeprefix(PREFIX) in theirs]
    if changed and config.get("bias", "none") != "none":
        raise UserError(
            f"adapter '{name}' replaces the base's own biases (bias='{config['bias']}'), so loading it would change "
            "the base for all adapters: evaluate it merged into the base (peft's merge_and_unload)"
        )


def _check_complete(name: str, config: Mapping[str, Any], pairs: Pairs, theirs: Shapes) -> None:
    """Raise UserError if modules that the configuration lists by name have no matrices, though others have."""
    targets = config.get("target_modules")
    narrowed = ("layers_to_transform", "exclude_modules", "trainable_token_indices")
    if not isinstance(targets, list) or any(config.get(each) is not None for each in narrowed):
        return
    adapted = {_LAYER.sub(".#.", module) for module in pairs}
    last = max((_layer_of(module) for module in pairs), default=-1)
    for tensor, shape in theirs.items():
        module = tensor.removesuffix(".weight")
        if _layer_of(module) > last:  # checkpoints may hold further layers that transformers does not load
            continue
        if len(shape) != 2 or module == tensor or module in pairs or not is_target(module, targets):
            continue
        if _LAYER.sub(".#.", module) in adapted:
            raise UserError(
                f"adapter '{name}': its weights are incomplete: '{module}' has none; save the adapter again"
            )


def _layer_of(module: str) -> int:
    found = _LAYER.search(f".{module}.")
    return int(found.group().strip(".")) if found else -1


def _is_beyond_last_layer(module: str, theirs: Shapes) -> bool:
    """Whether the base has this module in other layers, but not in this one."""
    kind = _LAYER.sub(".#.", f"{module}.weight")
    return any(_LAYER.sub(".#.", tensor) == kind for tensor in theirs)
