"""Saves what a training made: the adapter as initialised, and the result."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from holdfast.training.base_model import init_changes_base
from holdfast.training.folder import BEGINNING
from holdfast.training.recipe import Recipe
from holdfast.writing import atomic_files, saving, write_text


def save_initial_adapter(model: Any, out: Path) -> None:
    """Save the adapter as initialised: to undo what the initialisation took from the base."""
    config = model.peft_config["default"]
    init, config.init_lora_weights = config.init_lora_weights, True
    with saving(out / BEGINNING):
        model.save_pretrained(out / BEGINNING, save_embedding_layers=False)
    config.init_lora_weights = init


def save_result(model: Any, tokenizer: Any, recipe: Recipe, out: Path) -> None:
    """Save the trained adapter or model to `out`, whole or not at all, so that it fits the original base.

    An adapter initialised from base weights (PiSSA, OLoRA) is converted to a plain one of twice the rank.

    Raises:
        UserError: If it can't be written.
    """
    with atomic_files(out) as folder:
        if recipe.full:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        elif init_changes_base(recipe):
            initial = str((out / BEGINNING).resolve())
            with warnings.catch_warnings():  # peft warns about the very change that this conversion undoes
                warnings.filterwarnings("ignore", message=".*changes the base weights of the model")
                model.save_pretrained(
                    folder, save_embedding_layers=False, path_initial_model_for_weight_conversion=initial
                )
        else:
            model.save_pretrained(folder, save_embedding_layers=False)
    shutil.rmtree(out / BEGINNING, ignore_errors=True)
    if not recipe.full and recipe.model_args.get("chat_template", "auto") != "auto":  # as load_tokenizer chooses
        _save_template(tokenizer.chat_template, out)


def _save_template(template: str | None, out: Path) -> None:
    """Save the chosen chat template with the adapter, so that a run renders its prompts as training did."""
    if template is None:
        warnings.warn("trained without a chat template: evaluate it with chat_template=none, too", stacklevel=2)
    else:
        write_text(out / "chat_template.jinja", template)
