"""Find an answer in a finished run, to explain it or to shrink its variant."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.store.manifest import Manifest, read_manifest
from holdfast.harness.store.records import CLEAN, SAMPLES, read_samples

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """A perturbed answer of a run and its clean answer, as lines of samples.jsonl."""

    manifest: Manifest
    clean: Line
    perturbed: Line


def find_answer(folder: Path, key: str | None) -> AnswerPair:
    """Return the answer with this key, or the one that drifted most, and its clean answer.

    Raises:
        UserError: If the folder has no run, the key is unknown, or the answer has no clean answer to compare with.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError(f"{folder} is not a run: it has no run.json")
    perturbed = _with_key(folder, key) if key else _worst(folder)
    if perturbed["perturbation"] == CLEAN:
        raise UserError(f"{key} is the answer to the clean prompt: give the key of a perturbed one")
    whose = ("adapter", "task", "sample")
    for line in read_samples(folder / SAMPLES):
        if line["perturbation"] == CLEAN and all(line[name] == perturbed[name] for name in whose):
            return AnswerPair(manifest, line, perturbed)
    raise UserError(f"{folder} has no clean answer for {perturbed['key']}: finish the run first")


def _with_key(folder: Path, key: str) -> Line:
    for line in read_samples(folder / SAMPLES):
        if line["key"] == key:
            return line
    raise UserError(
        f"no answer in {folder} has the key '{key}': use one from {SAMPLES}, or omit it to get the worst answer"
    )


def _worst(folder: Path) -> Line:
    moved: Iterator[Line] = (line for line in read_samples(folder / SAMPLES) if line["edits"])
    worst = max(moved, key=lambda line: line["scores"].get("max_drift", 0.0), default=None)
    if worst is None:
        raise UserError(f"{folder} has no answer to a perturbed prompt: run it with at least one perturbation")
    return worst
