"""Read a run from its folder, and verify that it is what its run wrote before anything is concluded from it."""

import hashlib
import json
import warnings
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.store.lines import Line, read_lines
from holdfast.harness.store.manifest import FILE, Manifest, not_a_run, read_manifest
from holdfast.harness.store.records import CLEAN, IDENTITY, SAMPLES
from holdfast.perturbations import parse
from holdfast.reading import check_readable

_START, _END = b'{"key": ', b'", "'
"""What stands before a line's key, and what follows the key's last character; quotes within it are escaped."""

EDITED = "the file was edited: restore it, or make the run again in another directory"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run on disk, finished or not."""

    folder: Path
    manifest: Manifest

    def answers(self) -> Iterator[Line]:
        """Yield the lines of samples.jsonl; a torn last line, which a kill leaves, is not one.

        Raises:
            UserError: At a line that this run can't have written, or whose key was there before.
        """
        keys: set[str] = set()
        config = self.manifest.config
        known = {
            "adapter": {adapter.name for adapter in self.manifest.adapters},
            "task": set(self.manifest.tasks),
            "perturbation": {CLEAN, IDENTITY, *(parse(spec)[0] for spec in config.perturbations)},
        }
        for where, line in read_lines(self.folder / SAMPLES):
            for name, values in known.items():
                if line[name] not in values:
                    raise UserError(f"{where}: {name} {line[name]!r} is not in {FILE}: {EDITED}")
            if line["key"] in keys:
                raise UserError(f"{where}: duplicate key {line['key']!r}: {EDITED}")
            keys.add(line["key"])
            yield line


def open_run(folder: Path) -> StoredRun:
    """Open the run in a folder.

    The answers of a finished run are compared with the SHA-256 and the number of lines in run.json. A run that was
    finished by a version that didn't record them can't be verified; a warning says so.

    Raises:
        UserError: If the folder has no run, or its files were changed since the run was finished.
    """
    manifest = read_manifest(folder)
    samples = folder / SAMPLES
    if manifest is None:
        raise not_a_run(folder)
    if not samples.exists():
        raise UserError(f"{folder} is not a run: it has no {SAMPLES}")
    if manifest.status == "complete":
        _verify(samples, manifest)
    return StoredRun(folder, manifest)


def lines_with_keys(folder: Path, keys: Set[str]) -> dict[str, Line]:
    """Return the answers with these keys by their key; only their lines are parsed.

    Args:
        folder: A run whose answers were read, and so checked, before.
        keys: Keys of its answers.

    Raises:
        UserError: If one isn't found, because its line is not laid out as a run writes it.
    """
    wanted = {json.dumps(key).encode() for key in keys}
    begin = len(_START)
    with (folder / SAMPLES).open("rb") as file:
        lines = [json.loads(line) for line in file if line[begin : line.find(_END, begin) + 1] in wanted]
    found = {line["key"]: line for line in lines}
    if missing := keys - found.keys():
        raise UserError(f"{folder / SAMPLES}: {min(missing)!r} is not on a line as Holdfast writes it: {EDITED}")
    return found


def _verify(samples: Path, manifest: Manifest) -> None:
    found, lines = digest_of_lines(samples)
    if lines != manifest.generations:
        raise UserError(f"{samples} has {lines} lines, but {FILE} says {manifest.generations}: {EDITED}")
    if manifest.samples_sha256 is None and manifest.own_sha256:
        raise UserError(f"{samples.parent / FILE} is of a finished run, but has no samples_sha256: {EDITED}")
    if manifest.samples_sha256 is None:
        warnings.warn(
            f"{samples.parent / FILE} has no samples_sha256, since an earlier version of Holdfast wrote it: nothing "
            "shows whether the answers were changed since",
            stacklevel=4,
        )
    elif found != manifest.samples_sha256:
        raise UserError(f"{samples} doesn't match the SHA-256 in {FILE}: {EDITED}")


def digest_of_lines(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, and its number of complete lines."""
    check_readable(path)
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
            lines += block.count(b"\n")
    return digest.hexdigest(), lines
