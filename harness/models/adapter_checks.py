"""Refuse an adapter whose files can't give what was trained: the same checks wherever an adapter is read."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.limits import time_limit
from holdfast.reading import check_readable, read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
PICKLED = "adapter_model.bin"
PICKLE_REFUSED = "its .bin file is damaged, or holds more than weights, which a pickle may run: save it as safetensors"
_SECONDS = 5.0
"""The most time that a pattern gets for the names of all modules."""

HARMLESS_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica"})
"""Values of `init_lora_weights` that leave the base unchanged; PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA change it."""

_NOT_WEIGHTS = frozenset(
    {"PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CPT", "ADAPTION_PROMPT", "XLORA", "POLY"}
)
"""peft's adapters that don't change weights alone, so that answers depend on the batch or the prompt's tokens."""

_LORA = re.compile(r"\.lora_(?:A|B|embedding_A|embedding_B|magnitude_vector)\b")
_FLOATING = re.compile(r"F64|F32|F16|BF16|F8_\w+")
"""Types of safetensors whose elements are numbers by themselves."""

_LORA_NAMED = re.compile(r"\.lora_[AB]\.(?!weight$|bias$)([^.]+)\.weight$")


def check_adapter(name: str, folder: Path) -> None:
    """Check an adapter's configuration, and the names and shapes of its weights if they are a safetensors file.

    Raises:
        UserError: If it is no adapter of weights, its initialisation changes the base, or its weights are empty,
            wrongly named or not covered by its configuration.
    """
    config = read_config(name, folder)
    kind = config.get("peft_type")
    if kind != "LORA":
        _check_known(name, kind)
    if kind in _NOT_WEIGHTS:
        raise UserError(
            f"adapter '{name}' is a {kind} adapter, which does not change the model's weights, so that its answers "
            "depend on the batch: use a LoRA adapter"
        )
    if kind == "LORA":
        _check_lora(name, config)
    shapes = read_shapes(folder)
    _check_types(name, folder)
    _check_patterns(name, config, [_module_of(key) for key in shapes])
    _check_shapes(name, shapes)
    if kind == "LORA":
        _check_covered(name, config, shapes)
        if not config.get("target_parameters"):
            _check_ranks(name, config, shapes)


def check_weights(name: str, folder: Path) -> None:
    """Raise UserError if an adapter has no weights, or pickled ones."""
    if (folder / WEIGHTS).exists():
        return
    if not (folder / PICKLED).exists():
        raise UserError(f"adapter '{name}' has no weights: {WEIGHTS} is missing")
    check_readable(folder / PICKLED)
    raise UserError(
        f"adapter '{name}' is pickled ({PICKLED}), and a pickle can run code: if you trust it, convert it with "
        "peft's PeftModel.from_pretrained and save_pretrained, which writes safetensors"
    )


def check_finite(name: str, folder: Path) -> None:
    """Raise UserError if an adapter's weights contain NaN or infinity; reads all of them."""
    from safetensors.torch import load_file

    for key, weight in load_file(folder / WEIGHTS).items():
        if weight.is_floating_point() and not weight.float().isfinite().all():
            raise UserError(not_finite(name, _module_of(key)))


def not_finite(name: str, module: str) -> str:
    """Say that an adapter's weights contain NaN or infinity."""
    return f"adapter '{name}': the weights of '{module}' contain NaN or infinity: its training diverged"


def read_config(name: str, folder: Path) -> dict[str, Any]:
    """Return an adapter's configuration; raise UserError if it is missing or not a JSON object."""
    file = folder / CONFIG
    if not file.is_file():
        raise UserError(f"'{name}' is not a peft adapter: it has no {CONFIG}")
    try:
        config = read_json(file)
    except UserError as error:
        raise UserError(f"{error}; save the adapter again") from None
    if not isinstance(config, dict):
        raise UserError(f"{file} is not a JSON object: save the adapter again")
    return config


def read_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of an adapter's weights, by name, from the header; empty if they are not a safetensors file."""
    return {key: shape for key, (shape, _) in _read_header(folder).items()}


def _read_header(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return the shape and the type of each of an adapter's weights, by name."""
    weights = folder / WEIGHTS
    if not weights.exists():
        return {}
    check_readable(weights)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as tensors:
            slices = {key: tensors.get_slice(key) for key in tensors.keys()}  # noqa: SIM118
            return {key: (tuple(each.get_shape()), each.get_dtype()) for key, each in slices.items()}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{weights} is not a readable safetensors file ({error}): save the adapter again") from None


def not_loaded(name: str, keys: Collection[str], total: int) -> str:
    """Say that an adapter's weights would be left out."""
    modules = {_module_of(key) for key in keys}
    return (
        f"{len(keys)} of the {total} weights of adapter '{name}' ({len(modules)} "
        f"{'module' if len(modules) == 1 else 'modules'}, such as '{min(modules)}') would not be loaded"
    )


def _check_known(name: str, kind: object) -> None:
    """Raise UserError unless peft has adapters of this type."""
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING  # seconds to import, so not for LoRA, which it always has

    if kind is None:
        raise UserError(f"adapter '{name}' has no peft_type in its {CONFIG}: save the adapter again")
    known = {str(each.value) for each in PEFT_TYPE_TO_CONFIG_MAPPING}
    if not isinstance(kind, str) or kind not in known:
        meant = str(kind).upper()
        hint = f"write {meant!r}" if meant in known else "correct it, or upgrade peft"
        raise UserError(
            f"adapter '{name}': this version of peft has no adapters of the type {str(kind)[:60]!r}, which its "
            f"{CONFIG} names: {hint}"
        )


def _check_lora(name: str, config: Mapping[str, Any]) -> None:
    """Raise UserError if a LoRA adapter's configuration is incomplete or its initialisation changes the base."""
    for setting in ("r", "lora_alpha"):
        if not isinstance(config.get(setting), (int, float)) or isinstance(config[setting], bool):
            raise UserError(f"adapter '{name}' has no {setting} in its {CONFIG}: save the adapter again")
    if config.get("layer_replication"):
        raise UserError(
            f"adapter '{name}' replicates layers (layer_replication), so its modules are not the modules of its base, "
            "and loading it would change the base for all adapters: evaluate it merged (peft's merge_and_unload)"
        )
    start = config.get("init_lora_weights", True)
    if isinstance(start, str) and start.lower() not in HARMLESS_INITS:
        raise UserError(
            f"adapter '{name}' was initialised with init_lora_weights={start!r}, which changes the base: convert it "
            "with peft's path_initial_model_for_weight_conversion"
        )


def _check_patterns(name: str, config: Mapping[str, Any], modules: Sequence[str]) -> None:
    """Raise UserError for settings that peft can't read, or a pattern that takes too long.

    peft matches patterns with `re`, so they are tried with it, on names that match and on names that almost do.
    """
    patterns: list[str] = []
    for setting in ("target_modules", "exclude_modules", "layers_pattern"):
        value = config.get(setting)
        if not (value is None or isinstance(value, str) or _all_texts(value)):
            raise UserError(f"adapter '{name}': {setting} in its {CONFIG} must be a pattern or a list of module names")
        patterns += [value] if isinstance(value, str) else []
    for setting in ("rank_pattern", "alpha_pattern"):
        value = config.get(setting) or {}
        if not isinstance(value, dict) or not all(isinstance(each, (int, float)) for each in value.values()):
            raise UserError(f"adapter '{name}': {setting} in its {CONFIG} must map module names to numbers")
        patterns += value
    for pattern in patterns:
        at = f"adapter '{name}': the pattern '{pattern[:60]}' in its {CONFIG}"
        try:
            compiled = re.compile(rf"(.*\.)?({pattern})$")
            with time_limit(_SECONDS, f"{at} is refused: matching it"):
                for module in modules:
                    compiled.match(module)
                    compiled.match(f"{module}\n")
        except (re.error, RecursionError, OverflowError) as error:
            raise UserError(f"{at} is not a regular expression ({error}): save the adapter again") from None


def _check_types(name: str, folder: Path) -> None:
    """Raise UserError for LoRA weights that are no floating-point numbers: peft would take codes for values."""
    for key, (_, kind) in _read_header(folder).items():
        if _LORA.search(key) and not _FLOATING.fullmatch(kind):
            raise UserError(
                f"adapter '{name}': the weights of '{_module_of(key)}' are of type {kind}, not floating-point numbers: "
                "save the adapter again, unquantised"
            )


def _all_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _check_shapes(name: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for key, shape in shapes.items():
        if 0 in shape:
            raise UserError(
                f"adapter '{name}': the weights of '{_module_of(key)}' are empty: gather them before saving (DeepSpeed "
                "ZeRO-3 saves empty ones otherwise)"
            )
        if key.startswith(PREFIX + PREFIX):
            raise UserError(
                f"adapter '{name}': its weights are named '{PREFIX}{PREFIX}...', with a doubled prefix, so none would "
                "be loaded: save the adapter with PeftModel.save_pretrained"
            )
        if _LORA.search(key) and not key.startswith(PREFIX):
            raise UserError(
                f"adapter '{name}': its weights are named '{key.split('.')[0]}...', without the prefix '{PREFIX}', so "
                "none would be loaded: save the adapter with PeftModel.save_pretrained"
            )
        if named := _LORA_NAMED.search(key):
            raise UserError(
                f"adapter '{name}': its weights still contain the adapter's name ('{named[1]}' in '{key}'), so none "
                "would be loaded: save the adapter with PeftModel.save_pretrained"
            )


def _check_covered(name: str, config: Mapping[str, Any], shapes: Iterable[str]) -> None:
    """Raise UserError if LoRA weights belong to modules that `target_modules` does not name."""
    targets, keys = config.get("target_modules"), list(shapes)
    if not targets or targets == "all-linear" or config.get("target_parameters"):
        return
    lost = [key for key in keys if _LORA.search(key) and not is_target(_module_of(key), targets)]
    if lost:
        raise UserError(
            f"{not_loaded(name, lost, len(keys))}, because target_modules in its {CONFIG} does not name them: complete "
            "it, or save the adapter again"
        )


def _check_ranks(name: str, config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise UserError if a matrix A has another rank than the configuration says."""
    patterns = config.get("rank_pattern") or {}
    for key, shape in shapes.items():
        if not key.endswith((".lora_A.weight", ".lora_embedding_A")):
            continue
        module = _module_of(key)
        found = (rank for pattern, rank in patterns.items() if re.match(rf"(.*\.)?({pattern})$", module))
        rank = next(found, config["r"])
        if shape[:1] != (rank,):
            raise UserError(
                f"adapter '{name}': '{module}' has rank {shape[0] if shape else 0}, but its {CONFIG} says {rank}: save "
                "the adapter again"
            )


def owner_of(module: str) -> str:
    """Return the module whose parameters a LoRA of `target_parameters` changes.

    peft wraps a module once for each of its parameters, so that the inner ones are named after the wrapper.

    >>> owner_of("model.layers.0.mlp.experts.base_layer")
    'model.layers.0.mlp.experts'
    """
    while module.endswith(".base_layer"):
        module = module.removesuffix(".base_layer")
    return module


def is_target(module: str, targets: str | list[str]) -> bool:
    """Whether peft would adapt the module: a pattern must match its name, an entry of a list its end."""
    if isinstance(targets, str):
        return re.fullmatch(targets, module) is not None
    return any(module == each or module.endswith(f".{each}") for each in targets)


def _module_of(key: str) -> str:
    """Return the module's name in the base: 'base_model.model.a.b.lora_A.weight' is of 'a.b'."""
    module = _LORA.split(key)[0] if _LORA.search(key) else key.rpartition(".")[0]
    return module.removeprefix(PREFIX)
