"""What `holdfast train` is asked to do: one pydantic model, the same from flags, from YAML and from Python."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean

Scalar = str | int | float | bool
Objective = Literal["none", "augment", "consistency", "rdrop", "s2r2"]
NoiseName = Literal["none", "flat_lora", "isotropic", "sam_ab", "sam_w"]


class Recipe(BaseModel):
    """A training recipe. Field names are the command line's flags; `arguments` are fields of transformers'
    TrainingArguments by their names, over the defaults below."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    model: dict[str, Scalar] = {"pretrained": "pocket-aligned"}
    data: str
    eval_data: str | None = None
    output_dir: str
    objective: Objective = "none"
    objective_args: dict[str, Scalar] = {}
    noise: NoiseName = "none"
    noise_args: dict[str, Scalar] = {}
    perturbations: list[str] = ["typos", "word_deletion", "synonyms"]
    lora: dict[str, Scalar] = {"r": 8, "alpha": 16, "targets": "all-linear"}
    full: bool = False
    max_length: int | None = Field(None, ge=1)
    too_long: Literal["cut", "drop"] = "cut"
    seed: int = 0
    arguments: dict[str, Any] = {}


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


def make_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Check settings; raises UserError naming the field. Names that the recipe does not have are taken for
    TrainingArguments'."""
    own = {name: value for name, value in settings.items() if name in Recipe.model_fields}
    _validated(own)  # before anything heavy is imported
    from dataclasses import fields

    from transformers import TrainingArguments

    known = {field.name: field.default for field in fields(TrainingArguments)}
    arguments = {**own.pop("arguments", {}), **{n: v for n, v in settings.items() if n not in Recipe.model_fields}}
    for name, value in arguments.items():
        if name not in known:
            hint = did_you_mean(name, [*Recipe.model_fields, *known])
            raise UserError(f"unknown setting '{name}', neither the recipe's nor TrainingArguments'{hint}")
        if type(known[name]) in (int, float) and not isinstance(value, (int, float)):
            raise UserError(f"{name}: a number is wanted, not {value!r}")
    return _validated({**own, "arguments": {**DEFAULT_ARGUMENTS, **arguments}})


def _validated(settings: Mapping[str, Any]) -> Recipe:
    try:
        recipe = Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{where}: {first['msg'].lower()}, not {first.get('input')!r}") from None
    _check_model(recipe.model)
    _check_settings("objective_args", recipe.objective, recipe.objective_args)
    _check_settings("noise_args", recipe.noise, recipe.noise_args)
    return recipe


_NUMBER = (int, float)
_SETTINGS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "consistency": {"weight": _NUMBER},
    "rdrop": {"weight": _NUMBER},
    "flat_lora": {"sigma": _NUMBER, "all_linear": (bool,)},
    "isotropic": {"sigma": _NUMBER, "all_linear": (bool,)},
    "sam_ab": {"rho": _NUMBER},
    "sam_w": {"rho": _NUMBER},
}
"""What each objective and noise may be told, and by what; S2R2 checks its own."""


_MODEL = ("pretrained", "dtype", "attn_implementation", "trust_remote_code", "device_map")
_DTYPES = ("float32", "bfloat16", "float16", "auto")


def _check_model(given: Mapping[str, Scalar]) -> None:
    for name in given:
        if name not in _MODEL:
            raise UserError(f"--model: no argument '{name}'{did_you_mean(name, _MODEL)}; use {', '.join(_MODEL)}")
    if given.get("dtype", "auto") not in _DTYPES:
        raise UserError(f"--model: unknown dtype '{given['dtype']}': use one of {', '.join(_DTYPES)}")


def _check_settings(flag: str, name: str, given: Mapping[str, Scalar]) -> None:
    if name == "s2r2":
        return
    known = _SETTINGS.get(name, {})
    for setting, value in given.items():
        if setting not in known:
            raise UserError(f"--{flag}: {name} has no setting '{setting}'{did_you_mean(setting, known)}")
        if not isinstance(value, known[setting]) or (isinstance(value, bool) and bool not in known[setting]):
            wanted = "true or false" if known[setting] == (bool,) else "a number"
            raise UserError(f"--{flag}: {setting} is {wanted}, not {value!r}")
