"""Load a base model and its adapters with transformers and peft, and refuse adapters of a different base."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_mixed import KINDS
from holdfast.harness.backends.engines.prompting import Prompting
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.suggestions import did_you_mean

MODEL_ARGS = (
    "pretrained",
    "tokenizer",
    "dtype",
    "max_length",
    "chat_template",
    "trust_remote_code",
    "attn_implementation",
    "device_map",
)
_WHOLE_MODULES = ("modules_to_save", "trainable_token_indices")

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A base model (wrapped by peft if there are adapters), its tokenizer, and its adapters."""

    model: Any
    tokenizer: Any
    peft_names: Mapping[str, str]
    """peft's name for each adapter, by adapter name."""
    mixable: frozenset[str]
    """Names of the adapters whose prompts may share a batch."""
    max_length: int
    seq2seq: bool
    chat: bool


def load(options: BackendOptions, adapters: Sequence[Adapter]) -> Loaded:
    """Load the base once, and every adapter onto it; raise UserError if something doesn't fit together."""
    args = options.model_args
    folder, _, prompting = open_checkpoint(args)
    tokenizer, seq2seq = prompting.tokenizer, prompting.seq2seq
    model = _model(folder, args, seq2seq, options.device)
    embeddings = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > embeddings:
        raise UserError(
            f"the tokenizer has {len(tokenizer)} tokens, but the model '{args['pretrained']}' embeds {embeddings}: "
            "use the tokenizer that belongs to the model"
        )
    model, names = _with_adapters(model, adapters)
    model.eval()
    mixable = _mixable(model, adapters, names)
    return Loaded(model, tokenizer, names, mixable, prompting.max_length, seq2seq, prompting.chat)


def open_checkpoint(args: Mapping[str, Any]) -> tuple[Path, Any, Prompting]:
    """Open the base that `pretrained` names, without loading its weights.

    Returns:
        Its directory, its configuration, and the `Prompting` that turns prompts into tokens.

    Raises:
        UserError: If it isn't found, or transformers can't read its configuration or tokenizer.
    """
    from transformers import AutoConfig

    trust = bool(args.get("trust_remote_code"))
    folder = find_checkpoint(str(args["pretrained"]))
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trust)
    except (OSError, ValueError) as error:
        raise UserError(
            f"'{args['pretrained']}' is not a model that transformers can load: {first_line(error)}"
        ) from None
    seq2seq = bool(config.is_encoder_decoder)
    named = args.get("tokenizer")
    tokenizer = _tokenizer(find_checkpoint(str(named), "tokenizer") if named else folder, seq2seq, trust)
    chat = bool(tokenizer.chat_template) and str(args.get("chat_template", "auto")).lower() not in {"none", "false"}
    return folder, config, Prompting(tokenizer, chat, _max_length(config, tokenizer, args), seq2seq)


def check_belongs(model: Any, adapter: Adapter) -> None:
    """Raise UserError unless each LoRA matrix of the adapter fits a module of the base, by name and shape."""
    assert adapter.path is not None
    modules = dict(model.named_modules())
    for key, shape in _shapes(adapter.path).items():
        name = key.removeprefix("base_model.model.")
        for part, axis in ((".lora_A.", 1), (".lora_B.", 0)):
            if part not in name:
                continue
            module = modules.get(name.split(part)[0])
            if module is None:
                raise UserError(
                    f"adapter '{adapter.name}' does not belong to this base: it changes module "
                    f"'{name.split(part)[0]}', which the base does not have"
                )
            features = _features(module)
            if features is not None and shape[axis] != features[axis]:
                side = "inputs" if axis else "outputs"
                raise UserError(
                    f"adapter '{adapter.name}' does not belong to this base: '{key}' is for "
                    f"{shape[axis]} {side}, but the base's module has {features[axis]}"
                )


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid; load nothing."""
    for key in model_args:
        if key not in MODEL_ARGS:
            raise UserError(f"--model_args: unknown argument '{key}' for the hf backend{did_you_mean(key, MODEL_ARGS)}")
    if "pretrained" not in model_args:
        raise UserError("--model_args: pretrained is missing; name the base model, as in pretrained=pocket-aligned")
    if model_args.get("dtype", "auto") not in DTYPES:
        raise UserError(f"--model_args: unknown dtype '{model_args['dtype']}': use one of {', '.join(DTYPES)}")
    check_length(model_args, "max_length")


def check_length(model_args: Mapping[str, Any], name: str) -> None:
    """Raise UserError if the argument is given but isn't a positive whole number."""
    longest = model_args.get(name, 1)
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < 1:
        raise UserError(f"--model_args: {name} must be a number of tokens, got {longest!r}")


def _tokenizer(where: Path, seq2seq: bool, trust: bool) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=trust)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"can't load a tokenizer from '{where}': {first_line(error)}") from None
    if not seq2seq:
        tokenizer.padding_side = "left"
        tokenizer.truncation_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def _model(folder: Path, args: Mapping[str, Any], seq2seq: bool, device: str | None) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = str(args.get("dtype", "auto"))
    if dtype == "auto" and device == "cpu":
        dtype = "float32"
    passed = {key: args[key] for key in ("trust_remote_code", "attn_implementation", "device_map") if key in args}
    builder = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    try:
        model = builder.from_pretrained(folder, dtype=dtype, **passed)
        return model if "device_map" in passed else model.to(device)
    except (OSError, ValueError, ImportError, RuntimeError, AssertionError) as error:
        raise UserError(f"can't load the model in '{folder}' on {device}: {first_line(error)}") from None


def _with_adapters(model: Any, adapters: Sequence[Adapter]) -> tuple[Any, dict[str, str]]:
    """Load the adapters; in peft they are numbered, because it allows no dots in names."""
    names: dict[str, str] = {}
    loaded: dict[Path, str] = {}
    for adapter in adapters:
        if adapter.path is None:
            continue
        if adapter.path in loaded:  # the same adapter at another scale
            names[adapter.name] = loaded[adapter.path]
            continue
        check_belongs(model.get_base_model() if names else model, adapter)
        name = f"adapter{len(loaded)}"
        try:
            model = _attach(model, adapter.path, name, first=not names)
        except (ValueError, RuntimeError, KeyError, OSError, TypeError) as error:
            raise UserError(f"can't load adapter '{adapter.name}' on this base: {first_line(error)}") from None
        names[adapter.name] = loaded[adapter.path] = name
    return model, names


def _mixable(model: Any, adapters: Sequence[Adapter], names: Mapping[str, str]) -> frozenset[str]:
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


def _attach(model: Any, path: Path, name: str, *, first: bool) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if first:
            model = PeftModel.from_pretrained(model, str(path), adapter_name=name)
        else:
            model.load_adapter(str(path), adapter_name=name)
    for warning in caught:
        if "missing adapter keys" in str(warning.message):
            raise ValueError(f"its weights are incomplete: {first_line(warning.message)}")
    return model


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as tensors:
            return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{weights} is not a readable safetensors file ({error}): save the adapter again") from None


def _features(module: Any) -> tuple[int, int] | None:
    """Return (outputs, inputs) of a linear layer; transformers' Conv1D stores the transposed matrix."""
    module = getattr(module, "base_layer", module)
    if hasattr(module, "in_features"):
        return module.out_features, module.in_features
    if type(module).__name__ == "Conv1D":
        return module.weight.shape[1], module.weight.shape[0]
    return None


def _max_length(config: Any, tokenizer: Any, args: Mapping[str, Any]) -> int:
    """Return the maximum length of prompt and answer together, in tokens."""
    if "max_length" in args:
        return int(args["max_length"])
    text_config = config.get_text_config()
    places = getattr(text_config, "max_position_embeddings", None) or getattr(text_config, "n_positions", None)
    return int(min(places or 4096, tokenizer.model_max_length, 2**31))
