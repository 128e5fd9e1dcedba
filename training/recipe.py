"""The recipe of `holdfast train`: one pydantic model, the same from flags, from YAML and from Python."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from holdfast.errors import UserError
from holdfast.perturbations import parse
from holdfast.perturbations.composition import expectation, parts_of
from holdfast.suggestions import did_you_mean
from holdfast.training.arguments import check_arguments
from holdfast.training.lora_settings import check_lora
from holdfast.training.method import PLACES, Method, Place, get_method
from holdfast.training.weight_format import WEIGHT_FORMAT

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
    protect_facts: bool = False
    lora: dict[str, JsonValue] = {"r": 8, "alpha": 16, "targets": "all-linear"}
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


SPELLINGS: Mapping[str, str] = {"output_dir": "output_path", "out": "output_path", "model": "model_args"}
"""Aliases of recipe fields."""


def spelled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings under the names of the recipe's fields; raise UserError if one is given under two names."""
    found: dict[str, str] = {}
    for name in settings:
        field = SPELLINGS.get(name, name)
        if field in found:
            raise UserError(f"{field} is given twice, as {found[field]} and as {name}: leave one of them out")
        found[field] = name
    return {field: settings[name] for field, name in found.items()}


def make_recipe(settings: Mapping[str, Any]) -> Recipe:
    """Build a recipe from settings by name and check them.

    Args:
        settings: Recipe fields, and fields of transformers' TrainingArguments.

    Raises:
        UserError: If a name is unknown or a value is wrong; the message names the field.
    """
    settings = spelled(settings)
    own = {name: value for name, value in settings.items() if name in Recipe.model_fields}
    if isinstance(own.get("lora"), Mapping):
        own["lora"] = check_lora(own["lora"])
    _validate(own)
    others = {name: value for name, value in settings.items() if name not in Recipe.model_fields}
    arguments = {**own.pop("arguments", {}), **others}
    checked = check_arguments(arguments, bool(own.get("eval_data")), Recipe.model_fields)
    return _validate({**own, "arguments": checked})


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
    objective = recipe.methods().get("loss")
    for each in recipe.perturbations:
        _check_perturbation(parse(each)[0])
    if objective and objective[0].perturbs and not recipe.perturbations:
        raise UserError(
            f"--objective {recipe.objective} needs at least one perturbation: add one, as in --perturbations typos"
        )
    return recipe


def _check_perturbation(name: str) -> None:
    """Raise UserError for a perturbation that would teach wrong answers, or nothing."""
    if any(part.reshapes for part in parts_of(name)):
        raise UserError(
            f"--perturbations: '{name}' changes the template around a prompt, and training data have none: leave it out"
        )
    if expectation(name) == "changed":
        raise UserError(
            f"--perturbations: '{name}' changes what a prompt asks, so that its completion would be wrong: leave it out"
        )


_PAIRS = {
    "model_args": "pretrained=pocket-aligned",
    "lora": "r=8,alpha=16",
    "objective_args": "weight=0.5",
    "noise_args": "sigma=0.05",
    "arguments": "{learning_rate: 0.001}",
}

_MODEL = (
    *("pretrained", "chat_template", "dtype", "attn_implementation", "trust_remote_code", "device_map"),
    *WEIGHT_FORMAT,
)
_DTYPES = ("float32", "bfloat16", "float16", "auto")


def _check_model(given: Mapping[str, Scalar]) -> None:
    for name in given:
        if name not in _MODEL:
            raise UserError(f"--model_args: training has no argument '{name}'{did_you_mean(name, _MODEL)}")
    if given.get("dtype", "auto") not in _DTYPES:
        raise UserError(f"--model_args: unknown dtype '{given['dtype']}'; use {', '.join(_DTYPES)}")
