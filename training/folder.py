"""The output directory of a training run: which recipe it belongs to, and the checkpoint to resume from."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from holdfast.errors import UserError
from holdfast.reading import read_json
from holdfast.training.recipe import Recipe
from holdfast.training.training_card import CARD
from holdfast.writing import TEMPORARY, check_folder_target, new_folder, saving, write_text

RECIPE = "recipe.json"
BEGINNING = "beginning"
"""The folder of the adapter as initialised, while a training needs it."""

_STATE = "trainer_state.json"
_STARTED = "started"


def claim(out: Path, recipe: Recipe, digests: Mapping[str, str]) -> datetime:
    """Reserve the output directory for a recipe by writing the recipe into it.

    A recipe that failed before its first checkpoint doesn't block the directory: the next one replaces it.

    Args:
        out: The output directory; created if missing.
        recipe: The recipe.
        digests: Digests of the data and the base model, which must not change either when training is resumed.

    Returns:
        When the training started, which chat templates read: the same for a resumed one.

    Raises:
        UserError: If the directory can't be written, holds checkpoints or a result of another recipe, or doesn't say
            which recipe they belong to.
    """
    check_folder_target(out)
    content = {**recipe.model_dump(mode="json", exclude={"output_path"}), **digests}
    file = out / RECIPE
    results = (out / CARD, out / "adapter_model.safetensors", out / "model.safetensors")
    made = [path.name for path in (*sorted(_checkpoints(out), key=step_of), *results) if path.exists()]
    if made and not file.exists():
        raise UserError(
            f"{out} holds {made[0]} but no {RECIPE} to say which training run it belongs to: delete {made[0]} if you "
            "don't need it, or choose another --output_path"
        )
    if not file.exists() and (foreign := sorted(str(path.name) for path in _entries(out))):
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise UserError(
            f"--output_path '{out}' holds files that no training run wrote ({shown}), and no {RECIPE}: choose another "
            "--output_path"
        )
    before = read_json(file) if file.exists() else content
    if not isinstance(before, dict) or not {"data_digest", "base_digest"} <= before.keys():
        raise UserError(f"{file} was not written by a training run: choose another --output_path")
    if made and (differing := _list_changes(before, content)):
        raise UserError(
            f"{out} holds checkpoints of a different recipe ({'; '.join(differing)}): run that recipe to resume "
            "it, or choose another --output_path"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    started = str(before.get(_STARTED, now)) if made else now
    try:
        clock = datetime.fromisoformat(started)
    except ValueError:
        raise UserError(
            f"{file}: {_STARTED} must be a date and time such as {now}, got {started!r}: correct it, or choose another "
            "--output_path"
        ) from None
    write_text(file, json.dumps({**content, _STARTED: started}, indent=2) + "\n")
    return clock


@contextmanager
def keep_if_begun(out: Path) -> Iterator[None]:
    """If the block fails before there is a checkpoint or a result, remove what `claim` and the start made in `out`."""
    fresh = not (out / RECIPE).exists()
    with new_folder(out):
        try:
            yield
        except BaseException:
            if fresh and {path.name for path in _entries(out)} <= {RECIPE, BEGINNING}:
                shutil.rmtree(out / BEGINNING, ignore_errors=True)
                (out / RECIPE).unlink(missing_ok=True)
            raise


@contextmanager
def whole_checkpoint(folder: Path) -> Iterator[None]:
    """Remove a checkpoint again if the block can't save it whole; raises UserError if it is because of the disk."""
    try:
        with saving(folder):
            yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _entries(out: Path) -> list[Path]:
    """Return what is in a folder, besides files that another process is writing or was killed while it did."""
    return [path for path in out.iterdir() if not path.match(TEMPORARY)] if out.exists() else []


def find_last_checkpoint(out: Path, *, weights_only: bool = False) -> Path | None:
    """Return the newest complete checkpoint, or None to train from the start; warns about incomplete ones.

    A checkpoint whose saving was interrupted lacks the Trainer's state, which is written last.

    Args:
        out: The output directory.
        weights_only: Whether the recipe saves weights only (`save_only_model`).

    Raises:
        UserError: If none is complete and at least one was damaged after it had been saved.
    """
    damaged: dict[Path, str] = {}
    unfinished: list[str] = []
    for folder in sorted(_checkpoints(out), key=step_of, reverse=True):
        if find_damage(folder, _STATE) or not (folder / _STATE).is_file():
            unfinished.append(f"{folder.name} is incomplete")
            continue
        wrong = find_damage(folder) or find_missing_part(folder, weights_only=weights_only)
        if not wrong:
            if damaged or unfinished:
                ignored = "; ".join([*damaged.values(), *unfinished])
                warnings.warn(f"{ignored}: resuming from {folder}", stacklevel=3)
            return folder
        damaged[folder] = f"{folder.name} is damaged ({wrong})"
    if damaged:
        raise UserError(
            f"every checkpoint in {out} is damaged: {'; '.join(damaged.values())}; to train from the start delete "
            f"{', '.join(map(str, damaged))}, or choose another --output_path"
        )
    if unfinished:
        warnings.warn(f"{'; '.join(unfinished)}: training from the start", stacklevel=3)
    return None


def find_damage(folder: Path, pattern: str = "*") -> str | None:
    """Return what is wrong with the first truncated or unreadable file, or None if all are fine.

    Args:
        folder: The folder of the files.
        pattern: Which of its files to check.
    """
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob(pattern)):
        try:
            if file.suffix == ".safetensors":
                with safe_open(file, "numpy"):  # compares the file's length with its header
                    pass
            elif file.suffix in {".pt", ".pth", ".bin"} and not is_zipfile(file):  # a zip's directory is at its end
                return f"{file.name} is truncated"
            elif file.suffix == ".json":
                json.loads(file.read_text("utf-8"))
        except (SafetensorError, OSError, ValueError, RecursionError):
            return f"{file.name} can't be read"
    return None


def find_missing_part(folder: Path, *, weights_only: bool) -> str | None:
    """Return which part of a checkpoint is missing, or None if it is complete.

    Args:
        folder: The checkpoint. DeepSpeed keeps most parts in a subfolder, which is not searched.
        weights_only: Whether to look for the weights alone.
    """
    required = [] if any(folder.glob("global_step*")) else ["*model*", "optimizer*", "scheduler.pt"]
    required = required[:1] if weights_only else [*required, "rng_state*"]
    return next((f"{name.strip('*')} is missing" for name in required if not any(folder.glob(name))), None)


def step_of(checkpoint: Path) -> int:
    """Return the optimizer step after which a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])


def _checkpoints(out: Path) -> list[Path]:
    return [path for path in out.glob("checkpoint-*") if path.name.rpartition("-")[2].isdecimal()]


def _list_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List the settings that differ, as in `max_steps was 3, is now 4`."""
    found = []
    for name in now:
        old, new = before.get(name), now[name]
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += [_describe_change(key, old, new) for key in {**old, **new} if old.get(key) != new.get(key)]
        else:
            found.append(_describe_change(name, before, now))
    return found


def _describe_change(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = (repr(each[name]) if name in each else "not set" for each in (before, now))
    return f"{name} was {old}, is now {new}"
