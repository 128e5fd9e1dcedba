"""Find an answer in a finished run, to explain it or to shrink its variant."""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.store.lines import Line
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.records import CLEAN, SAMPLES
from holdfast.harness.store.stored_run import StoredRun, open_run


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """A perturbed answer of a run and its clean answer, as lines of samples.jsonl."""

    manifest: Manifest
    clean: Line
    perturbed: Line


@contextmanager
def as_in_run(manifest: Manifest) -> Iterator[None]:
    """Let relative paths in the run's configuration mean what they meant in the run, if its directory still exists."""
    with chdir(manifest.directory) if os.path.isdir(manifest.directory) else nullcontext():
        yield


def find_answer(folder: Path, key: str | None) -> AnswerPair:
    """Return the answer with this key, or the one that drifted most, and its clean answer.

    Raises:
        UserError: If the folder has no run, the key is unknown, or the answer has no clean answer to compare with.
    """
    run = open_run(folder)
    perturbed = _with_key(run, key) if key else _worst(run)
    if perturbed["perturbation"] == CLEAN:
        raise UserError(f"{key} is the answer to the clean prompt: give the key of a perturbed one")
    whose = ("adapter", "task", "sample")
    for line in run.answers():
        if line["perturbation"] == CLEAN and all(line[name] == perturbed[name] for name in whose):
            return AnswerPair(run.manifest, line, perturbed)
    raise UserError(f"{folder} has no clean answer for {perturbed['key']}: finish the run first")


def _with_key(run: StoredRun, key: str) -> Line:
    for line in run.answers():
        if line["key"] == key:
            return line
    raise UserError(
        f"no answer in {run.folder} has the key '{key}': use one from {SAMPLES}, or omit it to get the worst answer"
    )


def _worst(run: StoredRun) -> Line:
    moved: Iterator[Line] = (line for line in run.answers() if line["edits"])
    worst = max(moved, key=lambda line: line["scores"].get("max_drift", 0.0), default=None)
    if worst is None:
        raise UserError(f"{run.folder} has no answer to a perturbed prompt: run it with at least one perturbation")
    return worst
