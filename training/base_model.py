"""The model of a training: loaded as what the data ask for, and put under the adapter that the recipe asks for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.suggestions import did_you_mean
from holdfast.training.recipe import Recipe

if TYPE_CHECKING:
    from holdfast.training.contract import Kind
    from holdfast.training.examples import Example

_LORA = {"alpha": "lora_alpha", "targets": "target_modules", "dropout": "lora_dropout", "rslora": "use_rslora"} | {
    "dora": "use_dora",
    "init": "init_lora_weights",
}
LORA_PLUS = "loraplus_lr_ratio"
"""peft's name for the one setting of LoRA+, which acts on the optimizer."""


def load_config(checkpoint: Path, name: str) -> Any:
    """The configuration of the model called `name`; raises UserError for a directory that holds none."""
    from transformers import AutoConfig

    if (checkpoint / "adapter_config.json").is_file() and not (checkpoint / "config.json").is_file():
        raise UserError(f"--model_args: '{name}' is an adapter, not a model: name the base that it was trained on")
    try:
        return AutoConfig.from_pretrained(checkpoint)
    except (OSError, ValueError) as error:
        raise UserError(f"--model_args: '{name}' is no model that transformers knows: {first_line(error)}") from None


def load_tokenizer(checkpoint: Path, name: str) -> Any:
    """Its tokenizer, with a token to pad with; raises UserError where there is none."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    except Exception as error:  # each kind of tokenizer fails in its own way where its files are missing
        raise UserError(f"--model_args: the tokenizer of '{name}' can't be loaded: {first_line(error)}") from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def kind_of(examples: Sequence[Example], config: Any, recipe: Recipe) -> Kind:
    """What is trained: the data say whether labels or completions, the model how completions are made.

    Raises UserError for data that mix the two, and for models that do neither.
    """
    from transformers.models.auto import modeling_auto

    labelled = sum(each.label is not None for each in examples)
    if labelled and labelled < len(examples):
        raise UserError(f"{recipe.data}: some rows have a 'label', some a completion; a data set has one or the other")
    name = f"--model_args: '{recipe.model_args['pretrained']}' ({config.model_type})"
    if labelled:
        kind: Kind = "classification"
        known = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    elif config.is_encoder_decoder:
        kind, known = "seq2seq", modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
    else:
        kind, known = "causal", modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING
        if only_reads(config):
            raise UserError(
                f"{name} is an encoder and writes nothing: give it rows with 'text' and 'label' to classify"
            )
    if type(config) not in known and "auto_map" not in config.to_dict():
        raise UserError(
            f"{name} is no {kind} text model, and holdfast train takes no other; to train it with Flat-LoRA put "
            "holdfast.training.loop.callbacks.FlatLora into a Trainer of your own"
        )
    return kind


def only_reads(config: Any) -> bool:
    """Whether this is an encoder, such as BERT: it classifies, and writes nothing."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

    encodes = not config.is_encoder_decoder and not getattr(config, "is_decoder", False)
    return encodes and type(config) in MODEL_FOR_MASKED_LM_MAPPING


def load_model(checkpoint: Path, recipe: Recipe, kind: Kind, classes: int, tokenizer: Any) -> Any:
    """The model, under its adapter unless everything is trained; raises UserError for a recipe that does not fit it.

    `classes` is how many a classifier tells apart.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

    extra: dict[str, Any] = {"dtype": "float32", **{k: v for k, v in recipe.model_args.items() if k != "pretrained"}}
    builder = {"causal": AutoModelForCausalLM, "seq2seq": AutoModelForSeq2SeqLM}.get(kind)
    if builder is None:
        builder = AutoModelForSequenceClassification
        extra |= {"num_labels": classes, "pad_token_id": tokenizer.pad_token_id}
    try:
        model = builder.from_pretrained(checkpoint, **extra)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"the model '{recipe.model_args['pretrained']}' can't be loaded: {first_line(error)}") from None
    if not recipe.full:
        return _adapted(model, recipe, kind)
    if "lora" in recipe.model_fields_set:
        warnings.warn("--full trains every weight and no adapter: what --lora says is passed over", stacklevel=2)
    return model


def _adapted(model: Any, recipe: Recipe, kind: Kind) -> Any:
    from peft import LoraConfig, TaskType, get_peft_model

    task = {"causal": TaskType.CAUSAL_LM, "seq2seq": TaskType.SEQ_2_SEQ_LM, "classification": TaskType.SEQ_CLS}[kind]
    settings: dict[str, Any] = {_LORA.get(name, name): value for name, value in recipe.lora.items()}
    settings.pop(LORA_PLUS, None)
    known = [field.name for field in fields(LoraConfig)]
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, [*_LORA, LORA_PLUS, *known])
            raise UserError(f"--lora: neither ours nor peft's LoraConfig has a setting '{name}'{hint}")
    for name in _LISTS:
        given = settings.get(name, "all-linear")
        if given != "all-linear":
            settings[name] = given.replace("+", " ").split() if isinstance(given, str) else given
            _check_modules(model, settings[name])
    try:
        wrapped = get_peft_model(model, LoraConfig(task_type=task, **settings))
    except (TypeError, ValueError, KeyError, ImportError) as error:
        raise UserError(f"--lora: {first_line(error)}") from None
    wrapped.peft_config["default"].base_model_name_or_path = str(recipe.model_args["pretrained"])
    if not any(parameter.requires_grad for parameter in wrapped.parameters()):
        raise UserError("--lora: no parameter of the model would be trained; name other targets")
    return wrapped


_LISTS = ("target_modules", "modules_to_save", "exclude_modules")
"""Settings that name modules: q_proj+v_proj; to peft a text would be a pattern, or a list of letters."""


def _check_modules(model: Any, targets: Sequence[str]) -> None:
    """Raise UserError for a name that no module of the model is called by: peft passes over it, if another is."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    names = [name for name, _ in model.named_modules()]
    for target in targets:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
            there = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in linear))
            raise UserError(f"--lora: no module of the model is called '{target}'; its linear layers are: {there}")


CHANGES_THE_BASE = ("pissa", "olora")
"""Beginnings that take the adapter's first value out of the base's weights."""


def begins_with_the_base(recipe: Recipe) -> bool:
    """Whether the adapter's beginning is taken out of the base, so that it fits no untouched base as it is."""
    begun = str(recipe.lora.get("init", recipe.lora.get("init_lora_weights", ""))).lower()
    return not recipe.full and begun.startswith(CHANGES_THE_BASE)
