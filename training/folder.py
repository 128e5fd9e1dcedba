"""The directory that a training writes into: whose it is, and from where a training in it goes on."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from holdfast.errors import UserError
from holdfast.training.recipe import Recipe
from holdfast.training.training_card import CARD

RECIPE = "recipe.json"
_STATE = "trainer_state.json"


def claim(out: Path, recipe: Recipe, digests: Mapping[str, str]) -> None:
    """Make the output directory this recipe's; raises UserError where another recipe has checkpoints or a result in it,
    or where nothing says whose they are.

    A recipe that came to nothing leaves its name, and is no obstacle to the one that corrects it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"can't write to --output_path '{out}': {error.strerror}") from None
    content = {**recipe.model_dump(mode="json", exclude={"output_path"}), **digests}
    file = out / RECIPE
    results = (out / CARD, out / "adapter_model.safetensors", out / "model.safetensors")
    made = [path.name for path in (*sorted(_checkpoints(out), key=step_of), *results) if path.exists()]
    if made and not file.exists():
        raise UserError(
            f"{out} holds {made[0]} but no {RECIPE} that says which training made it: delete {made[0]} if it is of no "
            "use, or choose another --output_path"
        )
    if made:
        try:
            before = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            raise UserError(f"{file} can't be read: choose another --output_path") from None
        if differing := _differing(before, content):
            raise UserError(
                f"{out} holds checkpoints of another recipe ({'; '.join(differing)}): repeat that recipe to resume it, "
                "or choose another --output_path"
            )
    temporary = file.with_suffix(f".{os.getpid()}.tmp")  # each rank of a training writes its own
    temporary.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    temporary.replace(file)


def last_checkpoint(out: Path, *, weights_only: bool = False) -> Path | None:
    """The newest checkpoint that is whole, None where a training begins; a warning names those that are not.

    One killed half-way has no state, which is written last. `weights_only` says that the recipe keeps no more of a
    checkpoint (`save_only_model`). Raises UserError where there were whole ones once, and all are damaged.
    """
    damaged: dict[Path, str] = {}
    unfinished: list[str] = []
    for folder in sorted(_checkpoints(out), key=step_of, reverse=True):
        if damage(folder, _STATE) or not (folder / _STATE).is_file():
            unfinished.append(f"{folder.name} was not finished")
            continue
        wrong = damage(folder) or missing(folder, weights_only=weights_only)
        if not wrong:
            if damaged or unfinished:
                said = "; ".join([*damaged.values(), *unfinished])
                warnings.warn(f"{said}: going on from {folder}", stacklevel=3)
            return folder
        damaged[folder] = f"{folder.name} is damaged ({wrong})"
    if damaged:
        raise UserError(
            f"no checkpoint in {out} is whole: {'; '.join(damaged.values())}; to begin anew delete "
            f"{', '.join(map(str, damaged))}, or choose another --output_path"
        )
    if unfinished:
        warnings.warn(f"{'; '.join(unfinished)}: beginning anew", stacklevel=3)
    return None


def damage(folder: Path, pattern: str = "*") -> str | None:
    """What is wrong with the first such file that was cut short or is not what its name says, if any is."""
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob(pattern)):
        try:
            if file.suffix == ".safetensors":
                with safe_open(file, "numpy"):  # its header says how long the file is
                    pass
            elif file.suffix in {".pt", ".pth", ".bin"} and not is_zipfile(file):  # a zip's directory is at its end
                return f"{file.name} is cut short"
            elif file.suffix == ".json":
                json.loads(file.read_text("utf-8"))
        except (SafetensorError, OSError, ValueError):
            return f"{file.name} can't be read"
    return None


def missing(folder: Path, *, weights_only: bool) -> str | None:
    """Which part of a checkpoint is not there, if one is not. DeepSpeed keeps most of them in a folder of its own."""
    wanted = [] if any(folder.glob("global_step*")) else ["*model*", "optimizer*", "scheduler.pt"]
    wanted = wanted[:1] if weights_only else [*wanted, "rng_state*"]
    return next((f"{name.strip('*')} is missing" for name in wanted if not any(folder.glob(name))), None)


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
