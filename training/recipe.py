"""What `holdfast train` is asked to do: one pydantic model, the same from flags, from YAML and from Python."""

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
"""The name of the objective and the noise of plain training."""


class Recipe(BaseModel):
    """A training recipe. Field names are the command line's flags; `arguments` are fields of transformers'
    TrainingArguments by their names, over the defaults below."""

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
        """Return the methods of the recipe by place, each with its checked settings; raises UserError as `make_recipe`.

        Plain training has none.
        """
        asked: tuple[tuple[Place, str, str, Mapping[str, Any]], ...] = (
            ("loss", self.objective, "--objective_args: ", self.objective_args),
            ("weights", self.noise, "--noise_args: ", self.noise_args),
        )
        found: dict[Place, tuple[Method, Any]] = {}
        for place, name, prefix, given in asked:
            if name != NONE:
                method = get_method(name, place)
                found[place] = method, method.parse_settings(given, prefix)
            elif given:
                raise UserError(
                    f"{prefix}{', '.join(given)}: there is no {PLACES[place]}; name one with --{PLACES[place]}"
                )
        return found


DEFAULT_ARGUMENTS: Mapping[str, Any] = {
    "learning_rate": 5e-4,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 0.03,  # a share of all steps
    "per_device_train_batch_size": 8,
    "num_train_epochs": 3,
    "logging_steps": 10,
    "save_steps": 500,
    "report_to": "none",
}
"""Flat-LoRA's settings where its paper has any (arXiv 2409.14396): learning rate, cosine, warm-up."""


SPELLINGS: Mapping[str, str] = {"output_dir": "output_path", "out": "output_path", "model": "model_args"}
"""Other names that a recipe's fields may be given by."""


def make_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Check settings; raises UserError naming the field. Names that the recipe does not have are taken for
    TrainingArguments'."""
    settings = {SPELLINGS.get(name, name): value for name, value in settings.items()}
    own = {name: value for name, value in settings.items() if name in Recipe.model_fields}
    _validated(own)  # before anything heavy is imported
    from dataclasses import fields

    from transformers import TrainingArguments

    known = {field.name: field.default for field in fields(TrainingArguments)}
    switches = {field.name for field in fields(TrainingArguments) if field.type in (bool, bool | None)}
    arguments = {**own.pop("arguments", {}), **{n: v for n, v in settings.items() if n not in Recipe.model_fields}}
    for name, value in arguments.items():
        if name not in known:
            hint = did_you_mean(name, [*Recipe.model_fields, *known])
            raise UserError(f"unknown setting '{name}', neither the recipe's nor TrainingArguments'{hint}")
        if type(known[name]) in (int, float):
            number = _number(name, value)
            whole = type(known[name]) is int and number == int(number)
            arguments[name] = int(number) if whole else number
        if name in switches and value is not None and not isinstance(value, bool):
            raise UserError(f"{name}: true or false is wanted, not {value!r}")
    _check_arguments(arguments, own)
    evaluated = {"eval_strategy": "epoch"} if own.get("eval_data") else {}
    return _validated({**own, "arguments": {**DEFAULT_ARGUMENTS, **evaluated, **arguments}})


def _number(name: str, value: Any) -> int | float:
    """The number that `value` is, or looks like: YAML takes 1e-4 for a text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise UserError(f"{name}: a number is wanted, not {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UserError(f"{name}: a number is wanted, not {value!r}")
    return value


_POSITIVE = (
    "num_train_epochs",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
)


def _check_arguments(arguments: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """What TrainingArguments takes without a word and a training stumbles over, or passes over."""
    if (steps := arguments.get("max_steps", -1)) != -1 and (steps < 1 or steps != int(steps)):
        raise UserError(
            f"max_steps: {steps:g} steps train nothing; name 1 or more, or leave it out to train whole epochs"
        )
    for name in _POSITIVE:
        if name in arguments and not arguments[name] > 0:
            raise UserError(f"{name}: more than 0 is wanted, not {arguments[name]:g}")
    if arguments.get("resume_from_checkpoint"):
        raise UserError("resume_from_checkpoint: training resumes by itself if --output_path holds its checkpoints")
    if str(arguments.get("eval_strategy", "no")) != "no" and not recipe.get("eval_data"):
        raise UserError("eval_strategy: there is nothing to evaluate on; name --eval_data")


def _validated(settings: Mapping[str, Any]) -> Recipe:
    try:
        recipe = Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "dict_type":
            raise UserError(
                f"{where}: settings are wanted, as in {_PAIRS[where]}, not {first.get('input')!r}"
            ) from None
        raise UserError(f"{where}: {first['msg'].lower()}, not {first.get('input')!r}") from None
    _check_model(recipe.model_args)
    _check_lora(recipe.lora)
    objective = recipe.methods().get("loss")
    for each in recipe.perturbations:
        parse(each)
    if objective and objective[0].perturbs and not recipe.perturbations:
        raise UserError(f"--perturbations: --objective {recipe.objective} needs at least one, such as typos")
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
            raise UserError(f"--model_args: no argument '{name}'{did_you_mean(name, _MODEL)}; use {', '.join(_MODEL)}")
    if given.get("dtype", "auto") not in _DTYPES:
        raise UserError(f"--model_args: unknown dtype '{given['dtype']}': use one of {', '.join(_DTYPES)}")


def _check_lora(given: Mapping[str, Any]) -> None:
    for names, wanted, fits in _LORA_NUMBERS:
        for name in names:
            value = given.get(name, 1 if wanted != _SHARE else 0)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not fits(value):
                raise UserError(f"--lora: {name} is {wanted}, not {value!r}")


_SHARE = "a share from 0 on, below 1"
_LORA_NUMBERS: Sequence[tuple[Sequence[str], str, Callable[[float], bool]]] = (
    (("r",), "a whole number from 1 on", lambda value: value >= 1 and value == int(value)),
    (("alpha", "lora_alpha", "loraplus_lr_ratio"), "a number above 0", lambda value: value > 0),
    (("dropout", "lora_dropout"), _SHARE, lambda value: 0 <= value < 1),
)
