"""The folder that a run writes to: whose it is, and the file of its answers, which only grows."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from holdfast.errors import UserError
from holdfast.harness.store.lines import Line, parse_line, read_lines
from holdfast.harness.store.manifest import FILE, read_manifest
from holdfast.harness.store.records import SAMPLES, Record
from holdfast.harness.store.stored_run import digest_of_lines, open_run
from holdfast.writing import OUTPUT, TEMPORARY, check_folder_target, named_errors, new_folder

_OWN = (FILE, SAMPLES, "excluded.jsonl", "embeddings.*", TEMPORARY)
"""The files that a run may have written before its first answer."""

_START = b'{"key": "'
"""How every line of samples.jsonl begins, a torn one included."""


def check_run_folder(folder: Path) -> None:
    """Raise UserError unless a run may be written to `folder`: it is new, empty, or holds one with all its answers.

    Nothing is changed, so that files of the user's are as they were. Called before anything heavy is loaded.
    """
    check_folder_target(folder)
    manifest, samples = read_manifest(folder), folder / SAMPLES
    is_complete = manifest is not None and manifest.status == "complete" and samples.exists()
    if manifest and is_complete and digest_of_lines(samples)[1] >= manifest.generations:
        open_run(folder)  # if lines are missing, they are generated again
    if manifest is None and folder.exists() and (others := sorted(map(_name, _others(folder)))):
        shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        raise UserError(
            f"{OUTPUT} '{folder}' holds files that no run wrote ({shown}), and no {FILE}: choose another {OUTPUT}"
        )


@contextmanager
def open_folder(folder: Path) -> Iterator["Samples"]:
    """Yield the samples file in the folder of a run, locked for other processes.

    A run that fails before its first answer leaves nothing: its files go, and the folder and its parents if it made
    them.

    Raises:
        UserError: If the folder isn't the run's to write to, or another run is writing to it.
    """
    check_run_folder(folder)
    fresh = not (folder / FILE).exists()
    with new_folder(folder), Samples(folder / SAMPLES) as samples:
        try:
            yield samples
        except BaseException:
            if fresh and not (folder / SAMPLES).stat().st_size:
                for file in [file for pattern in _OWN for file in folder.glob(pattern)]:
                    file.unlink(missing_ok=True)
            raise


class Samples:
    """The file samples.jsonl, appended to during a run and locked for other processes.

    Raises:
        UserError: If the file can't be written, no run wrote it, or another run is writing to it.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._path = path
        with named_errors(path.parent, OUTPUT):
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"another run is writing to {path.parent}: wait for it, or choose another {OUTPUT}"
            ) from None
        self._drop_torn_line()

    def append(self, records: Iterable[Record]) -> None:
        """Append the records in one write, so that a kill can truncate at most the last line.

        Raises:
            UserError: If the file can't be written, or could not be read again because of a record's values.
        """
        lines = [record.to_json() for record in records]
        for line in lines:
            parse_line(line.encode(), f"what should be stored in {self._path} ({line[:200]})")
        with named_errors(self._path):
            self._file.write("".join(f"{line}\n" for line in lines).encode())
            self._file.flush()

    def digest(self) -> tuple[str, int]:
        """Return the SHA-256 and the number of lines, once everything is on the disk."""
        with named_errors(self._path):
            os.fsync(self._file.fileno())
        return digest_of_lines(self._path)

    def count(self) -> int:
        """Return the number of lines."""
        return self.digest()[1]

    def __iter__(self) -> Iterator[Line]:
        return (line for _, line in read_lines(self._path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # what couldn't be written before can't be now
            self._file.close()

    def _drop_torn_line(self) -> None:
        """Truncate the file after its last complete line, since a kill may have left half a line."""
        next(iter(self), None)  # raises UserError for a file that no run wrote
        end = self._file.seek(0, 2)
        while end:
            start = max(0, end - 65536)
            self._file.seek(start)
            newline = self._file.read(end - start).rfind(b"\n")
            end = start + newline + 1 if newline >= 0 else start
            if newline >= 0:
                break
        self._file.seek(end)
        torn = self._file.read(len(_START))
        if torn != _START[: len(torn)]:
            raise UserError(f"{self._path}: its last line is not an answer of a run: choose another {OUTPUT}")
        self._file.truncate(end)
        self._file.seek(end)


def _others(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, except for what a killed start leaves: an empty samples file, half a manifest."""
    for path in folder.iterdir():
        is_begun = path.name == SAMPLES and path.is_file() and not path.stat().st_size
        if not is_begun and not path.match(TEMPORARY):
            yield path


def _name(path: Path) -> str:
    return path.name
