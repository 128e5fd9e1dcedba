"""`holdfast train`: flags and files to a recipe, names to directories."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from holdfast.errors import UserError
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from holdfast.harness.store.config import parse_pairs, scalar_of
from holdfast.paths import as_path, expanded
from holdfast.training.base_model import check_is_model
from holdfast.training.examples import is_hub_name, read_examples
from holdfast.training.lora_settings import parse_lora
from holdfast.training.recipe import Recipe, Scalar, make_recipe, spelled
from holdfast.training.train import train_recipe

_LARGE = 2**25
"""Bytes of JSON that are read in about a second."""
_TEXT = (".jsonl", ".json", ".csv")
_PAIRS = ("model_args", "lora", "objective_args", "noise_args")


def make_recipe_of(given: Mapping[str, Any], flags: Mapping[str, Any], more: Sequence[str]) -> Recipe:
    """Make the recipe of a training.

    Args:
        given: Settings from a file.
        flags: Settings from the command line, which override those.
        more: Further words of the command line: flags that are fields of TrainingArguments.

    Raises:
        UserError: For the first mistake, naming the field.
    """
    settings = {**spelled(given), **spelled({**flags, **parse_flags(more)})}
    for name in _PAIRS:
        if name == "lora" and isinstance(settings.get(name), str):
            settings[name] = parse_lora(settings[name])
        elif isinstance(settings.get(name), str):
            alone = "pretrained" if name == "model_args" else ""
            settings[name] = parse_pairs(settings[name], f"--{name}", alone=alone)
    if isinstance(settings.get("perturbations"), str):
        settings["perturbations"] = [part.strip() for part in settings["perturbations"].split(",") if part.strip()]
    for name in ("data", "output_path"):
        if name not in settings:
            raise UserError(f"--{name} is missing: holdfast train needs --data and --output_path")
    return make_recipe(settings)


def check_data(given: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    """Raise UserError for files of examples that can't be read, before anything heavy is imported.

    Files too large to be read twice in no time, and data sets of a hub, have to wait for the training itself.
    """
    for name in ("data", "eval_data"):
        source = str({**given, **flags}.get(name) or "")
        path = expanded(source)
        is_large = path.suffix == ".parquet" or (path.is_file() and path.stat().st_size > _LARGE)
        if source and not is_large and (path.suffix in _TEXT or path.exists() or not is_hub_name(source)):
            read_examples(source)


def train(
    data: str | Path,
    output_path: str | Path,
    *,
    model_args: Mapping[str, Scalar] | str | None = None,
    eval_data: str | Path | None = None,
    objective: str | None = None,
    objective_args: Mapping[str, Scalar] | str | None = None,
    noise: str | None = None,
    noise_args: Mapping[str, Scalar] | str | None = None,
    perturbations: Sequence[str] | str | None = None,
    protect_facts: bool | None = None,
    lora: Mapping[str, Any] | str | None = None,
    full: bool | None = None,
    max_length: int | None = None,
    too_long: Literal["cut", "drop"] | None = None,
    seed: int | None = None,
    num_train_epochs: float | None = None,
    max_steps: int | None = None,
    learning_rate: float | None = None,
    per_device_train_batch_size: int | None = None,
    gradient_accumulation_steps: int | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Path:
    """Train an adapter, or resume its training if `output_path` holds a part of it already.

    The parameters are the flags of `holdfast train` (see `holdfast train --help`), which has the defaults too: None
    means the default. Lists may be comma-separated strings, mappings `a=b,c=d`.

    Args:
        data: Examples: a JSONL, JSON, CSV or parquet file, or a hub name.
        output_path: Where the adapter is kept.
        arguments: Further fields of transformers' `TrainingArguments`.

    Returns:
        The directory of the adapter (or of the model, with `full`).

    Raises:
        UserError: For any mistake in the input, and if the training diverges.
    """
    given = {name: value for name, value in locals().items() if value is not None and name != "arguments"}
    for name in ("data", "eval_data", "output_path"):
        if name in given:
            given[name] = str(as_path(given[name], name))
    if not isinstance(arguments or {}, Mapping):
        raise UserError(f"arguments must be a mapping of TrainingArguments' fields, got {type(arguments).__name__}")
    others = spelled(arguments or {})
    if twice := given.keys() & others.keys():
        raise UserError(f"{min(twice)} is given twice: leave it out of arguments")
    given = {**others, **given}
    check_data(given, {})
    return train_adapter(make_recipe_of(given, {}, []))


def train_adapter(recipe: Recipe) -> Path:
    """Train what the recipe says; the directory of the result."""
    if not recipe.model_args.get("pretrained"):
        raise UserError("--model_args names no base: use for instance pretrained=pocket-aligned")
    out = expanded(recipe.output_path)
    if out.exists() and not out.is_dir():
        raise UserError(f"--output_path '{recipe.output_path}' is a file: name a directory")
    checkpoint = find_checkpoint(str(recipe.model_args["pretrained"]))
    check_is_model(checkpoint, str(recipe.model_args["pretrained"]))
    return train_recipe(recipe, checkpoint, digest_of(checkpoint))


def parse_flags(words: Sequence[str]) -> dict[str, Any]:
    """`--learning_rate 1e-4 --bf16` -> {"learning_rate": 0.0001, "bf16": True}."""
    found: dict[str, Any] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found[name] = parse_value(value) if equals else True
        elif name:
            found[name] = parse_value(word)
            name = ""
        else:
            raise UserError(f"unexpected '{word}': it does not follow a flag")
    return found


def parse_value(text: str | bool) -> Any:
    """What a value looks like: a number, true, false, or a text; 1e-4 is a number here. A switch is one already."""
    if isinstance(text, bool):
        return text
    value = scalar_of(text)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
