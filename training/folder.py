"""The directory that a training writes into: whose it is, and from where a training in it goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.training.card import CARD
from holdfast.training.recipe import Recipe

RECIPE = "recipe.json"


def claim(out: Path, recipe: Recipe, digests: Mapping[str, str]) -> None:
    """Make the output directory this recipe's; raises UserError where another recipe has checkpoints or a result in it.

    A recipe that came to nothing leaves its name, and is no obstacle to the one that corrects it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"can't write to --output_dir '{out}': {error.strerror}") from None
    content = {**recipe.model_dump(mode="json", exclude={"output_dir"}), **digests}
    file = out / RECIPE
    if file.exists() and ((out / CARD).exists() or _checkpoints(out)):
        try:
            before = json.loads(file.read_text("utf-8"))
        except ValueError:
            raise UserError(f"{file} can't be read: choose another --output_dir") from None
        if differing := _differing(before, content):
            raise UserError(
                f"{out} holds checkpoints of another recipe ({'; '.join(differing)}): repeat that recipe to resume it, "
                "or choose another --output_dir"
            )
    temporary = file.with_suffix(f".{os.getpid()}.tmp")  # each rank of a training writes its own
    temporary.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    temporary.replace(file)


def last_checkpoint(out: Path) -> Path | None:
    """The newest checkpoint that is whole: its state is written last, so one killed half-way has none."""
    for folder in sorted(_checkpoints(out), key=step_of, reverse=True):
        try:
            json.loads((folder / "trainer_state.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        return folder
    return None


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])


def _checkpoints(out: Path) -> list[Path]:
    return [path for path in out.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, a setting at a time: `max_steps was 3, is now 4`."""
    found = []
    for name in now:
        old, new = before.get(name), now[name]
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += [_change(key, old, new) for key in {**old, **new} if old.get(key) != new.get(key)]
        else:
            found.append(_change(name, before, now))
    return found


def _change(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = (repr(each[name]) if name in each else "not set" for each in (before, now))
    return f"{name} was {old}, is now {new}"
