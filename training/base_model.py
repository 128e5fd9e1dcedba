"""Loads the base model for a training run and wraps it in the recipe's adapter."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.training.chat_template import find_template
from holdfast.training.lora_settings import MODULE_LISTS, peft_settings
from holdfast.training.recipe import Recipe
from holdfast.training.weight_format import WEIGHT_FORMAT, forget_gguf, gguf_options, weight_options

if TYPE_CHECKING:
    from holdfast.training.class_labels import Classes
    from holdfast.training.contract import Kind
    from holdfast.training.examples import Example


def check_is_model(checkpoint: Path, name: str) -> None:
    """Raise UserError if a directory holds an adapter and no model; `name` is its name in the message."""
    if (checkpoint / "adapter_config.json").is_file() and not (checkpoint / "config.json").is_file():
        raise UserError(f"--model_args: '{name}' is an adapter, not a model: name the base model it was trained on")


def load_config(checkpoint: Path, name: str, args: Mapping[str, Any]) -> Any:
    """Return the configuration of a model.

    Args:
        checkpoint: The directory of the model.
        name: Its name in error messages.
        args: The model arguments, which may name a GGUF file.

    Raises:
        UserError: If the directory holds no model that transformers knows.
    """
    from transformers import AutoConfig

    options = gguf_options(checkpoint, args)
    try:
        return AutoConfig.from_pretrained(checkpoint, **options)
    except (OSError, ValueError) as error:
        raise UserError(f"--model_args: transformers can't load the model '{name}': {first_line(error)}") from None


def load_tokenizer(checkpoint: Path, name: str, args: Mapping[str, Any]) -> Any:
    """Return the tokenizer of a model, with a padding token (the end token if it has none).

    Args:
        checkpoint: The directory of the model.
        name: Its name in error messages.
        args: The model arguments, which may name a GGUF file. `chat_template` is the template that the tokenizer gets
            and the adapter is saved with: the name of one of its own, a file, "none", or "auto" for the model's own.

    Raises:
        UserError: If the tokenizer is missing or can't be loaded, or the template is unknown or drops prompts.
    """
    from transformers import AutoTokenizer

    options, chat_template = gguf_options(checkpoint, args), str(args.get("chat_template", "auto"))
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, **options)
    except Exception as error:  # each kind of tokenizer fails in its own way if its files are missing
        raise UserError(f"--model_args: the tokenizer of '{name}' can't be loaded: {first_line(error)}") from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    template = find_template(tokenizer, chat_template, owner=f"'{name}'")
    if chat_template != "auto":
        tokenizer.chat_template = template.source if template else None
    return tokenizer


def infer_kind(examples: Sequence[Example], config: Any, recipe: Recipe) -> Kind:
    """Return the kind of training: classification if the data have labels, else causal or seq2seq by the model's type.

    Args:
        examples: The training examples.
        config: The configuration of the base model.
        recipe: Supplies the names for error messages.

    Raises:
        UserError: If the data mix labels and completions, or the model does not support the kind of training.
    """
    from transformers.models.auto import modeling_auto

    labelled = sum(each.label is not None for each in examples)
    if labelled and labelled < len(examples):
        raise UserError(f"{recipe.data}: some rows have a 'label' and others a completion; use only one of the two")
    name = f"--model_args: '{recipe.model_args['pretrained']}' ({config.model_type})"
    if labelled:
        kind: Kind = "classification"
        known = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    elif config.is_encoder_decoder:
        kind, known = "seq2seq", modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
    else:
        kind, known = "causal", modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING
        if is_encoder(config):
            raise UserError(
                f"{name} is an encoder, which can't generate text: train it on rows with 'text' and 'label'"
            )
    if type(config) not in known and "auto_map" not in config.to_dict():
        raise UserError(
            f"{name} can't be trained as a {kind} text model; to train another kind of model with Flat-LoRA, add "
            "holdfast.training.loop.callbacks.FlatLora to your own Trainer"
        )
    return kind


def is_encoder(config: Any) -> bool:
    """Return whether the model is an encoder, such as BERT, which can classify but not generate text."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

    reads_only = not config.is_encoder_decoder and not getattr(config, "is_decoder", False)
    return reads_only and type(config) in MODEL_FOR_MASKED_LM_MAPPING


def load_model(checkpoint: Path, recipe: Recipe, kind: Kind, classes: Classes, tokenizer: Any) -> Any:
    """Load the base model and wrap it in a fresh adapter, unless the recipe trains every weight.

    Args:
        checkpoint: The directory of the base model.
        recipe: The recipe with its model and LoRA settings.
        kind: The kind of training.
        classes: The classes of a classifier.
        tokenizer: Supplies the padding token of a classifier.

    Raises:
        UserError: If the model can't be loaded, or the LoRA settings are wrong or don't fit it.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

    read = ("pretrained", "chat_template", *WEIGHT_FORMAT)
    given = {name: value for name, value in recipe.model_args.items() if name not in read}
    extra: dict[str, Any] = {"dtype": "float32", **given}
    extra |= weight_options(checkpoint, recipe.model_args, str(extra["dtype"]))
    quantised = recipe.model_args.get("load_in_4bit") is True
    if quantised and recipe.full:
        raise UserError("--full trains every weight, but weights in 4 bits can't be trained: leave out one of the two")
    builder = {"causal": AutoModelForCausalLM, "seq2seq": AutoModelForSeq2SeqLM}.get(kind)
    if builder is None:
        builder = AutoModelForSequenceClassification
        extra |= {"num_labels": classes.count, "pad_token_id": tokenizer.pad_token_id}
        if classes.names:
            extra["id2label"] = dict(enumerate(classes.names))
            extra["label2id"] = {name: i for i, name in enumerate(classes.names)}
    try:
        model, found = builder.from_pretrained(checkpoint, output_loading_info=True, **extra)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"the model '{recipe.model_args['pretrained']}' can't be loaded: {first_line(error)}") from None
    if "gguf_file" in extra:
        forget_gguf(model)
    if quantised:
        from peft import prepare_model_for_kbit_training

        # The Trainer switches gradient checkpointing on where the user asks for it.
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if not recipe.full:
        fresh = {name.rpartition(".")[0] for name in found["missing_keys"]} if kind == "classification" else set()
        return _add_adapter(model, recipe, kind, sorted(fresh))
    if "lora" in recipe.model_fields_set:
        warnings.warn("--full trains every weight without an adapter: --lora is ignored", stacklevel=2)
    return model


def _add_adapter(model: Any, recipe: Recipe, kind: Kind, fresh: Sequence[str]) -> Any:
    """Wrap the model in a fresh adapter, which also keeps the `fresh` modules: the base's files don't have them."""
    from peft import LoraConfig, TaskType, get_peft_model
    from peft.tuners.lora import LoraRuntimeConfig

    task = {"causal": TaskType.CAUSAL_LM, "seq2seq": TaskType.SEQ_2_SEQ_LM, "classification": TaskType.SEQ_CLS}[kind]
    settings = peft_settings(recipe.lora)
    for name in MODULE_LISTS:
        if isinstance(settings.get(name), list):
            _check_modules(model, settings[name])
    _check_parameters(model, settings.get("target_parameters") or ())
    if fresh:
        settings["modules_to_save"] = list(dict.fromkeys([*(settings.get("modules_to_save") or ()), *fresh]))
    try:
        if isinstance(settings.get("runtime_config"), dict):  # the only part that peft doesn't build itself
            settings["runtime_config"] = LoraRuntimeConfig(**settings["runtime_config"])
        wrapped = get_peft_model(model, LoraConfig(task_type=task, **settings))
    except re.error as error:
        raise UserError(f"--lora: the pattern '{error.pattern!s}' is not valid: {first_line(error)}") from None
    except (TypeError, ValueError, KeyError, AttributeError, ImportError, NotImplementedError) as error:
        raise UserError(f"--lora: {first_line(error)}") from None
    _check_patterns(wrapped, settings)
    if init_changes_base(recipe):
        _check_ranks(wrapped)
    config = wrapped.peft_config["default"]
    config.base_model_name_or_path = str(recipe.model_args["pretrained"])
    for name, value in list(vars(config).items()):
        if isinstance(value, set):  # peft saves a set in another order in each process
            setattr(config, name, sorted(value))
    if not any(parameter.requires_grad for parameter in wrapped.parameters()):
        raise UserError("--lora: no parameter would be trained; choose other targets")
    return wrapped


def _check_modules(model: Any, targets: Sequence[str]) -> None:
    """Raise UserError for a target that matches no module: peft ignores it as long as another target matches."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    names = [name for name, _ in model.named_modules()]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
            known = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in linear))
            raise UserError(f"--lora: the model has no module '{target}'; its linear layers are: {known}")


def _check_parameters(model: Any, targets: Sequence[str]) -> None:
    """Raise UserError for a target that matches no parameter of more than one dimension."""
    names = [name for name, parameter in model.named_parameters() if parameter.dim() > 1]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            known = ", ".join(dict.fromkeys(".".join(name.split(".")[-2:]) for name in names))
            raise UserError(f"--lora: the model has no parameter '{target}' to adapt; it has: {known}")


def _check_patterns(model: Any, settings: Mapping[str, Any]) -> None:
    """Raise UserError for a pattern that matches no adapted module: peft ignores it."""
    adapted = [
        name.removeprefix("base_model.model.") for name, each in model.named_modules() if hasattr(each, "lora_A")
    ]
    for field in ("rank_pattern", "alpha_pattern"):
        for pattern in settings.get(field) or ():
            if not any(re.match(rf"(.*\.)?({pattern})$", name) for name in adapted):
                raise UserError(f"--lora: {field}: no adapted module matches '{pattern}'")


def _check_ranks(model: Any) -> None:
    """Raise UserError for a rank beyond that of a base weight, from whose decomposition the adapter begins."""
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and (rank := module.r["default"]) > min(module.in_features, module.out_features):
            size = f"{module.out_features} x {module.in_features}"
            short = name.removeprefix("base_model.model.")
            raise UserError(f"--lora: init decomposes base weights, and {short} ({size}) has no rank {rank}: lower r")


_BASE_CHANGING_INITS = ("pissa", "olora")
"""Initialisations that move a part of the base weights into the adapter."""


def init_changes_base(recipe: Recipe) -> bool:
    """Return whether the adapter's initialisation changes the base weights, so that it needs converting on saving."""
    init = str(recipe.lora.get("init", recipe.lora.get("init_lora_weights", ""))).lower()
    return not recipe.full and init.startswith(_BASE_CHANGING_INITS)
