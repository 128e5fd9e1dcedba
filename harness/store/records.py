"""The records of samples.jsonl, and the append-only file itself."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from holdfast.errors import UserError

SAMPLES = "samples.jsonl"

CLEAN = "clean"
"""The `perturbation` of answers to the original prompt."""


@dataclass(frozen=True, slots=True)
class Record:
    """One scored answer: a line of samples.jsonl."""

    key: str
    adapter: str
    adapter_digest: str
    task: str
    sample: str
    perturbation: str
    severity: str
    repeat: int
    edit_rate: float
    edits: tuple[tuple[int, str, str], ...]
    """(position in the clean content, removed text, inserted text)."""
    meaning: float | None
    """Estimated share, in [0, 1], of the prompt's meaning that the perturbation kept; None if unknown."""
    prompt: str
    output: str
    tokens: int
    finish: str
    truncated: bool
    scores: dict[str, float]
    reason: str
    """Why the worst segment drifted, if facts explain it."""
    encoder: str
    """The encoder that compared the segments."""
    likelihoods: tuple[float, ...] | None = None
    """Log-likelihoods (nats) of a multiple-choice sample's choices."""
    reasoning: str | None = None
    """What the model thought aloud before its answer, if it did and `output` doesn't include it."""
    segments: tuple[dict[str, Any], ...] | None = None
    """With --log_samples: side, text, partner, drift and reason of each drifted segment."""

    def to_json(self) -> str:
        """Return the record as one line of JSON, without optional fields that are None."""
        content = asdict(self)
        for name in ("likelihoods", "reasoning", "segments"):
            if content[name] is None:
                del content[name]
        return json_line(content)


def json_line(content: Mapping[str, Any]) -> str:
    """Return one line of JSON, in readable Unicode unless a lone surrogate needs an escape.

    Raises:
        ValueError: If a number is NaN or infinite, which JSON can't hold.
    """
    line = json.dumps(content, ensure_ascii=False, allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(content, allow_nan=False)
    return line


def make_folder(folder: Path, flag: str = "--output_path") -> Path:
    """Create the folder that `flag` names, if needed, and return it; raise UserError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"can't write to {flag} '{folder}': {error.strerror}") from None
    return folder


class Samples:
    """The file samples.jsonl, appended to during a run and locked for other processes.

    Raises:
        UserError: If the file can't be written, or another run is writing to it.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._path = path
        try:
            path.touch()
        except OSError as error:
            raise UserError(f"can't write to --output_path '{path.parent}': {error.strerror}") from None
        self._file = path.open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"another run is writing to {path.parent}: wait for it, or choose another --output_path"
            ) from None
        self._drop_torn_line()

    def append(self, records: Iterable[Record]) -> None:
        """Append the records in one write, so that a kill can truncate at most the last line."""
        self._file.write("".join(f"{record.to_json()}\n" for record in records).encode())
        self._file.flush()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return read_samples(self._path)

    def count(self) -> int:
        """Return the number of lines."""
        with self._path.open("rb") as lines:
            return sum(1 for _ in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _drop_torn_line(self) -> None:
        """Truncate the file after its last complete line, since a kill may have left half a line."""
        end = self._file.seek(0, 2)
        while end:
            start = max(0, end - 65536)
            self._file.seek(start)
            newline = self._file.read(end - start).rfind(b"\n")
            end = start + newline + 1 if newline >= 0 else start
            if newline >= 0:
                break
        self._file.truncate(end)
        self._file.seek(end)


def read_samples(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the complete lines of a samples.jsonl; raise UserError if it is missing or a line is not valid JSON."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise UserError(
                        f"{path}, line {number}: not valid JSON ({error}); delete the line to generate it again"
                    ) from None
    except FileNotFoundError:
        raise UserError(f"{path.parent} is not a run: it has no {path.name}") from None
