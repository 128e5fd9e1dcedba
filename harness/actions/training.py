"""`holdfast train`: flags and files to a recipe, names to directories."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from holdfast.harness.store.config import parse_pairs, scalar_of
from holdfast.training.examples import read_examples
from holdfast.training.recipe import Recipe, make_recipe
from holdfast.training.train import train

_LARGE = 2**25
"""Bytes; so many of JSON are read in a second."""
_PAIRS = ("model", "lora", "objective_args", "noise_args")


def make_recipe_of(given: Mapping[str, Any], flags: Mapping[str, Any], more: Sequence[str]) -> Recipe:
    """The recipe of a file's settings, the flags over them, and `more`: flags that are TrainingArguments' fields."""
    settings = {**given, **flags, **_more(more)}
    if isinstance(model := settings.get("model"), str) and "=" not in model:
        settings["model"] = {"pretrained": model}
    for name in _PAIRS:
        if isinstance(settings.get(name), str):
            settings[name] = parse_pairs(settings[name], f"--{name}")
    if isinstance(settings.get("perturbations"), str):
        settings["perturbations"] = [part.strip() for part in settings["perturbations"].split(",") if part.strip()]
    for name in ("data", "output_dir"):
        if name not in settings:
            raise UserError(f"--{name} is missing: holdfast train needs --data and --output_dir")
    return make_recipe(settings)


def check_data(given: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    """Raise UserError for files of examples that can't be read, before anything heavy is imported.

    Files too large to be read twice in no time, and data sets of a hub, have to wait for the training itself.
    """
    for name in ("data", "eval_data"):
        source = str({**given, **flags}.get(name) or "")
        path = Path(source).expanduser()
        if path.suffix in {".jsonl", ".json", ".csv"} and not (path.is_file() and path.stat().st_size > _LARGE):
            read_examples(source)


def train_adapter(recipe: Recipe) -> Path:
    """Train what the recipe says; the directory of the result."""
    if not recipe.model.get("pretrained"):
        raise UserError("--model names no base: use for instance pretrained=pocket-aligned")
    checkpoint = find_checkpoint(str(recipe.model["pretrained"]))
    return train(recipe, checkpoint, digest_of(checkpoint))


def _more(words: Sequence[str]) -> dict[str, Any]:
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
            raise UserError(f"'{word}' belongs to no flag")
    return found


def parse_value(text: str) -> Any:
    """What a value looks like: a number, true, false, or a text; 1e-4 is a number here."""
    value = scalar_of(text)
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
