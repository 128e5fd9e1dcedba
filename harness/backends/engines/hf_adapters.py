"""Load adapters onto a base model with peft, completely or not at all, and leave the base as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.engines.hf_mixed import KINDS
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import (
    PREFIX,
    not_loaded,
    owner_of,
    read_config,
    read_shapes,
)

_WHOLE_MODULES = ("modules_to_save", "trainable_token_indices")
_COPY, _ORIGINAL = ".modules_to_save", ".original_module"


class BadAdapter(UserError):
    """An adapter that can't be used with this base; the other adapters of the run may be."""

    def __init__(self, adapter: str, message: object) -> None:
        super().__init__(message)
        self.adapter = adapter


def load_adapters(
    model: Any, adapters: Sequence[Adapter], check: Callable[[Any, Adapter], None] | None = None
) -> tuple[Any, dict[str, str]]:
    """Load the adapters.

    Args:
        model: The base model.
        adapters: The adapters; those without a path are left out.
        check: Called with the model after each adapter, which is active; whatever it raises is that adapter's fault.

    Returns:
        The model, wrapped by peft if there are adapters, and peft's name for each adapter: they are numbered, because
        peft allows no dots in names.

    Raises:
        BadAdapter: If an adapter doesn't fit the base, a part of it would not be loaded, or the check fails.
    """
    names: dict[str, str] = {}
    loaded: dict[Path, str] = {}
    for adapter in adapters:
        if adapter.path is None:
            continue
        if adapter.path in loaded:  # the same adapter at another scale
            names[adapter.name] = loaded[adapter.path]
            continue
        name = f"adapter{len(loaded)}"
        try:
            model = _load(model, adapter, adapter.path, name, is_first=not names)
            if check:
                model.set_adapter(name)
                check(model, adapter)
        except UserError as error:
            raise BadAdapter(adapter.name, error) from error
        except Exception as error:  # peft lets some combinations load that fail when the model runs
            apart = "; if it runs alone, evaluate it in a run of its own" if names else ""
            message = f"the base can't be run with adapter '{adapter.name}': {first_line(error)}{apart}"
            raise BadAdapter(adapter.name, message) from error
        names[adapter.name] = loaded[adapter.path] = name
    return model, names


def rehearse(make_skeleton: Callable[[], Any], adapters: Sequence[Adapter]) -> dict[str, str]:
    """Load the adapters onto a base without its weights, and return why the bad ones can't be used, by name.

    What can't be tried without weights is left to the actual loading.
    """
    bad: dict[str, str] = {}
    runs = _runs_without_weights(make_skeleton())
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a weight without data takes none
                left = [adapter for adapter in adapters if adapter.name not in bad]
                load_adapters(make_skeleton(), left, _run_latest if runs else None)
        except BadAdapter as error:
            if isinstance(error.__cause__, NotImplementedError) or isinstance(
                error.__cause__ and error.__cause__.__context__, NotImplementedError
            ):
                return bad
            bad[error.adapter] = str(error)
        else:
            return bad


def _runs_without_weights(skeleton: Any) -> bool:
    """Return whether a forward pass works without weights, which it doesn't where it depends on values (experts)."""
    try:
        run_once(skeleton)
    except Exception:  # torch raises several kinds
        return False
    return True


def run_once(model: Any) -> None:
    """Run the model on two tokens, with its active adapter."""
    import torch

    ids = torch.zeros((1, 2), dtype=torch.long, device=model.device)
    with torch.no_grad():
        model(input_ids=ids, **({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}))


def _run_latest(model: Any, adapter: Adapter) -> None:
    run_once(model)


def _load(model: Any, adapter: Adapter, path: Path, name: str, *, is_first: bool) -> Any:
    """Load one adapter under this name, and return the model; raise UserError if it doesn't fit the base."""
    base = model if is_first else model.get_base_model()
    check_belongs(base, adapter)
    try:
        with _resized(base, read_shapes(path)):
            model, unexpected = _attach(model, base, path, name)
    except Exception as error:  # peft raises whatever a configuration leads to
        apart = "" if is_first else "; if it loads alone, evaluate it in a run of its own"
        raise UserError(f"can't load adapter '{adapter.name}' on this base: {first_line(error)}{apart}") from None
    if unexpected:
        total = len(read_shapes(path)) or len(unexpected)
        raise UserError(
            f"{not_loaded(adapter.name, unexpected, total)}: the base has no place for them; use the base that "
            "the adapter was trained on"
        )
    return model


def check_belongs(model: Any, adapter: Adapter) -> None:
    """Raise UserError unless each LoRA matrix of the adapter fits a module of the base, by name and shape.

    Modules that transformers has renamed since the adapter was saved are left to peft, which converts them.
    """
    assert adapter.path is not None
    modules = dict(model.named_modules())
    renamed = _renamed(model)
    nested = bool(read_config(adapter.name, adapter.path).get("target_parameters"))
    for key, shape in read_shapes(adapter.path).items():
        name = key.removeprefix(PREFIX)
        for part, axis in ((".lora_A.", 1), (".lora_B.", 0)):
            if part not in name:
                continue
            changed = owner_of(name.split(part)[0]) if nested else name.split(part)[0]
            if renamed(f"{changed}.weight"):
                continue
            module = modules.get(changed)
            if module is None:
                raise UserError(
                    f"adapter '{adapter.name}' does not belong to this base: it changes module '{changed}', which the "
                    "base does not have"
                )
            features = _features(module)
            if features is not None and shape[axis] != features[axis]:
                side = "inputs" if axis else "outputs"
                raise UserError(
                    f"adapter '{adapter.name}' does not belong to this base: '{key}' is for "
                    f"{shape[axis]} {side}, but the base's module has {features[axis]}"
                )


def skeleton_of(config: Any, trust: bool = False, *, classifies: bool = False) -> Any:
    """Return a text model or a classifier without its weights, for `check_belongs`; transformers raises ValueError,
    OSError or ImportError if it can't build one."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

    builder = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    if classifies:
        builder = AutoModelForSequenceClassification
    with torch.device("meta"):
        return builder.from_config(config, trust_remote_code=trust)


def mixable(model: Any, adapters: Sequence[Adapter], names: Mapping[str, str]) -> frozenset[str]:
    """Return the adapters whose prompts may share a batch: the base, and plain LoRA of linear layers at scale 1.

    There are none if any adapter brings whole modules or biases: those would apply to the others' rows too.
    """
    from peft.tuners.lora import LoraLayer

    configs = [model.peft_config[name] for name in names.values()]
    if any(getattr(config, setting, None) for config in configs for setting in _WHOLE_MODULES) or any(
        getattr(config, "bias", "none") != "none" for config in configs
    ):
        return frozenset()
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    found = set()
    for adapter in adapters:
        name = names.get(adapter.name)
        if name is None:
            found.add(adapter.name)
            continue
        config = model.peft_config[name]
        plain = config.peft_type == "LORA" and adapter.scale == 1.0
        mine = [layer for layer in layers if name in layer.r]
        if plain and all(type(layer).__name__ in KINDS and name not in layer.lora_variant for layer in mine):
            found.add(adapter.name)
    return frozenset(found)


def _attach(model: Any, base: Any, path: Path, name: str) -> tuple[Any, list[str]]:
    """Attach an adapter; return the model and the weights that peft found no place for."""
    from peft import PeftConfig, get_peft_model

    config = PeftConfig.from_pretrained(str(path))
    config.inference_mode = True
    config.base_model_name_or_path = None  # peft warns of any other name; `warn_about_base_mismatch` compares weights
    config.modules_to_save = _whole_modules(config, read_shapes(path), dict(base.named_modules()))
    if model is base:
        model = get_peft_model(model, config, adapter_name=name)
    else:
        model.add_adapter(name, config)
    result = model.load_adapter(str(path), adapter_name=name)
    if result.missing_keys:
        missing = result.missing_keys[0].replace(f".{name}", "")
        raise ValueError(f"its weights are incomplete: {missing} is missing; save the adapter again")
    given = read_shapes(path)
    return model, [key for key in result.unexpected_keys if not (_COPY in key and key.replace(_COPY, "", 1) in given)]


def _whole_modules(config: Any, keys: Collection[str], modules: Mapping[str, Any]) -> list[str] | None:
    """Return the modules that the adapter replaces: the configured ones, and embeddings saved without being named.

    peft saves resized embeddings also if `modules_to_save` doesn't name them, and would load them into the base.
    """
    named = list(getattr(config, "modules_to_save", None) or ())
    for key in keys:
        module = key.removeprefix(PREFIX).removesuffix(".weight")
        if hasattr(_unwrapped(modules.get(module)), "weight") and not any(
            module == each or module.endswith(f".{each}") for each in named
        ):
            named.append(module)
    return named or None


@contextmanager
def _resized(base: Any, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[None]:
    """Give embeddings as many rows as the adapter's own within the block, as peft expects, and then the base's again.

    An adapter that was trained with added tokens brings its own embeddings; the copy that it replaces is made within
    the block.
    """
    import torch

    modules = dict(base.named_modules())
    changed = []
    for key, shape in shapes.items():
        name = key.removeprefix(PREFIX).removesuffix(".weight").removesuffix(_COPY).removesuffix(_ORIGINAL)
        module = _unwrapped(modules.get(name))
        weight = getattr(module, "weight", None)
        if weight is None or ".lora_" in key or len(shape) != 2 or weight.shape[1:] != shape[1:]:
            continue
        if shape == weight.shape and _ORIGINAL not in key:
            continue
        changed.append((module, weight))
        rows = shape[0] - len(weight)
        larger = torch.cat([weight.data, weight.new_zeros(max(0, rows), shape[1])])[: shape[0]]
        module.weight = torch.nn.Parameter(larger, requires_grad=False)
    try:
        yield
    finally:
        for module, weight in reversed(changed):
            module.weight = weight


def _unwrapped(module: Any) -> Any:
    """Return the base's own module, where peft has put a copy beside it."""
    return getattr(module, "original_module", module)


def _renamed(model: Any) -> Callable[[str], bool]:
    """Return a predicate: whether transformers loads a weight of this name under a different one."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key

    mapping = get_model_conversion_mapping(model)
    renamings = [each for each in mapping if isinstance(each, WeightRenaming)]
    converters = [each for each in mapping if isinstance(each, WeightConverter)]
    return lambda name: bool(mapping) and rename_source_key(name, renamings, converters)[0] != name


def _features(module: Any) -> tuple[int, int] | None:
    """Return (outputs, inputs) of a linear layer; transformers' Conv1D stores the transposed matrix."""
    while hasattr(module, "base_layer"):  # an adapter before this one has wrapped it, once for each parameter
        module = module.base_layer
    if hasattr(module, "in_features"):
        return module.out_features, module.in_features
    if type(module).__name__ == "Conv1D":
        return module.weight.shape[1], module.weight.shape[0]
    return None
