"""A finished run opened again, to ask one of its adapters more or to explain one of its answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.store.manifest import Manifest, read_manifest
from holdfast.harness.store.records import CLEAN, SAMPLES, read_samples

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer of a run and the clean answer that it is measured against, as lines of samples.jsonl."""

    manifest: Manifest
    clean: Line
    perturbed: Line


def find_answer(folder: Path, key: str | None) -> Compared:
    """The answer with this key, or the one that drifted most; raises UserError where there is none to compare."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError(f"{folder} is not a run: it has no run.json")
    perturbed = _with_key(folder, key) if key else _worst(folder)
    if perturbed["perturbation"] == CLEAN:
        raise UserError(f"{key} is the answer to the clean prompt: name one to a perturbed prompt")
    whose = ("adapter", "task", "sample")
    for line in read_samples(folder / SAMPLES):
        if line["perturbation"] == CLEAN and all(line[name] == perturbed[name] for name in whose):
            return Compared(manifest, line, perturbed)
    raise UserError(f"{folder} holds no clean answer for {perturbed['key']}: finish the run first")


def _with_key(folder: Path, key: str) -> Line:
    for line in read_samples(folder / SAMPLES):
        if line["key"] == key:
            return line
    raise UserError(
        f"no answer in {folder} has the key '{key}': keys are in {SAMPLES}; without one, the worst is taken"
    )


def _worst(folder: Path) -> Line:
    moved: Iterator[Line] = (line for line in read_samples(folder / SAMPLES) if line["edits"])
    worst = max(moved, key=lambda line: line["scores"].get("max_drift", 0.0), default=None)
    if worst is None:
        raise UserError(f"{folder} holds no answer to a perturbed prompt")
    return worst
