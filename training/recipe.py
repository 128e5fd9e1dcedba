"""The recipe of `holdfast train`: one pydantic model, the same from flags, from YAML and from Python."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.perturbations import parse
from holdfast.suggestions import did_you_mean
from holdfast.training.method import PLACES, Method, Place, get_method

Scalar = str | int | float | bool
NONE = "none"
"""The objective and the noise of plain training."""


class Recipe(BaseModel):
    """A training recipe; its fields are the flags of `holdfast train`.

    `arguments` are fields of transformers' TrainingArguments; they override DEFAULT_ARGUMENTS.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    model_args: dict[str, Scalar] = {"pretrained": "pocket-aligned"}
    data: str
    eval_data: str | None = None
    output_path: str
    objective: str = NONE
    objective_args: dict[str, Scalar] = {}
    noise: str = NONE
    noise_args: dict[str, Scalar] = {}
    perturbations: list[str] = ["typos", "word_deletion", "synonyms"]
    lora: dict[str, Scalar | list[str]] = {"r": 8, "alpha": 16, "targets": "all-linear"}
    full: bool = False
    max_length: int | None = Field(None, ge=1)
    too_long: Literal["cut", "drop"] = "cut"
    seed: int = Field(0, ge=0, lt=2**32)
    arguments: dict[str, Any] = {}

    def methods(self) -> dict[Place, tuple[Method, Any]]:
        """Return the recipe's objective and noise by place, each with its checked settings.

        The mapping is empty for plain training.

        Raises:
            UserError: If a method or one of its settings is unknown, or a value is wrong.
        """
        named: tuple[tuple[Place, str, str, Mapping[str, Any]], ...] = (
            ("loss", self.objective, "--objective_args: ", self.objective_args),
            ("weights", self.noise, "--noise_args: ", self.noise_args),
        )
        found: dict[Place, tuple[Method, Any]] = {}
        for place, name, prefix, given in named:
            if name != NONE:
                method = get_method(name, place)
                found[place] = method, method.parse_settings(given, prefix)
            elif given:
                kind = PLACES[place]
                raise UserError(f"{prefix}{', '.join(given)} given without --{kind}: name the {kind}, or leave it out")
        return found


DEFAULT_ARGUMENTS: Mapping[str, Any] = {
    "learning_rate": 5e-4,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 0.03,  # as a fraction of all steps
    "per_device_train_batch_size": 8,
    "num_train_epochs": 3,
    "logging_steps": 10,
    "save_steps": 500,
    "report_to": "none",
}
"""Learning rate, cosine schedule and warm-up are those of the Flat-LoRA paper (arXiv 2409.14396)."""


SPELLINGS: Mapping[str, str] = {"output_dir": "output_path", "out": "output_path", "model": "model_args"}
"""Aliases of recipe fields."""


def make_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Build a recipe from settings by name and check them.

    Args:
        settings: Recipe fields, and fields of transformers' TrainingArguments.

    Raises:
        UserError: If a name is unknown or a value is wrong; the message names the field.
    """
    settings = {SPELLINGS.get(name, name): value for name, value in settings.items()}
    own = {name: value for name, value in settings.items() if name in Recipe.model_fields}
    _validate(own)  # before anything heavy is imported
    from dataclasses import fields

    from transformers import TrainingArguments

    known = {field.name: field.default for field in fields(TrainingArguments)}
    switches = {field.name for field in fields(TrainingArguments) if field.type in (bool, bool | None)}
    arguments = {**own.pop("arguments", {}), **{n: v for n, v in settings.items() if n not in Recipe.model_fields}}
    for name, value in arguments.items():
        if name not in known:
            hint = did_you_mean(name, [*Recipe.model_fields, *known])
            raise UserError(f"unknown setting '{name}', neither a recipe field nor a TrainingArguments field{hint}")
        if type(known[name]) in (int, float):
            number = _parse_number(name, value)
            whole = type(known[name]) is int and number == int(number)
            arguments[name] = int(number) if whole else number
        if name in switches and value is not None and not isinstance(value, bool):
            raise UserError(f"{name} must be true or false, got {value!r}")
    _check_arguments(arguments, own)
    evaluated = {"eval_strategy": "epoch"} if own.get("eval_data") else {}
    return _validate({**own, "arguments": {**DEFAULT_ARGUMENTS, **evaluated, **arguments}})


def _parse_number(name: str, value: Any) -> int | float:
    """Return the number that `value` is or spells: YAML reads 1e-4 as a string."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise UserError(f"{name} must be a number, got {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{name} must be a finite number, got {value!r}")
    return value


_POSITIVE = (
    "num_train_epochs",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
)


def _check_arguments(arguments: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Reject values that TrainingArguments accepts silently but that make training fail or have no effect."""
    if (steps := arguments.get("max_steps", -1)) != -1 and (steps < 1 or steps != int(steps)):
        raise UserError(f"max_steps must be a whole number >= 1, got {steps:g}; leave it out to train whole epochs")
    for name in _POSITIVE:
        if name in arguments and not arguments[name] > 0:
            raise UserError(f"{name} must be > 0, got {arguments[name]:g}")
    for name in ("learning_rate", "weight_decay"):
        if arguments.get(name) is not None and arguments[name] < 0:
            raise UserError(f"{name} must be >= 0, got {arguments[name]:g}")
    if arguments.get("resume_from_checkpoint"):
        raise UserError(
            "resume_from_checkpoint can't be set: training resumes automatically if --output_path holds its checkpoints"
        )
    if str(arguments.get("eval_strategy", "no")) != "no" and not recipe.get("eval_data"):
        raise UserError("eval_strategy needs data to evaluate on: name it with --eval_data")


def _validate(settings: Mapping[str, Any]) -> Recipe:
    try:
        recipe = Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "dict_type":
            raise UserError(f"{where} must be settings such as {_PAIRS[where]}, got {first.get('input')!r}") from None
        raise UserError(f"{where}: {first['msg'].lower()}, got {first.get('input')!r}") from None
    _check_model(recipe.model_args)
    _check_lora(recipe.lora)
    objective = recipe.methods().get("loss")
    for each in recipe.perturbations:
        parse(each)
    if objective and objective[0].perturbs and not recipe.perturbations:
        raise UserError(
            f"--objective {recipe.objective} needs at least one perturbation: add one, as in --perturbations typos"
        )
    return recipe


_PAIRS = {
    "model_args": "pretrained=pocket-aligned",
    "lora": "r=8,alpha=16",
    "objective_args": "weight=0.5",
    "noise_args": "sigma=0.05",
    "arguments": "{learning_rate: 0.001}",
}

_MODEL = ("pretrained", "dtype", "attn_implementation", "trust_remote_code", "device_map")
_DTYPES = ("float32", "bfloat16", "float16", "auto")


def _check_model(given: Mapping[str, Scalar]) -> None:
    for name in given:
        if name not in _MODEL:
            raise UserError(f"--model_args: training has no argument '{name}'{did_you_mean(name, _MODEL)}")
    if given.get("dtype", "auto") not in _DTYPES:
        raise UserError(f"--model_args: unknown dtype '{given['dtype']}'; use {', '.join(_DTYPES)}")


def _check_lora(given: Mapping[str, Any]) -> None:
    for names, rule, default, is_valid in _LORA_NUMBERS:
        for name in names:
            value = given.get(name, default)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_valid(value):
                raise UserError(f"--lora: {name} must be {rule}, got {value!r}")


_LORA_NUMBERS: Sequence[tuple[Sequence[str], str, int, Callable[[float], bool]]] = (
    (("r",), "a whole number >= 1", 1, lambda value: value >= 1 and value == int(value)),
    (("alpha", "lora_alpha", "loraplus_lr_ratio"), "a number > 0", 1, lambda value: value > 0),
    (("dropout", "lora_dropout"), "a number >= 0 and < 1", 0, lambda value: 0 <= value < 1),
)
