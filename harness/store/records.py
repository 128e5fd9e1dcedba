"""One line of samples.jsonl, and the append-only file that holds them."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from holdfast.errors import UserError

SAMPLES = "samples.jsonl"

CLEAN = "clean"
"""The perturbation name of an answer to the prompt as it was."""


@dataclass(frozen=True, slots=True)
class Record:
    """One generation, scored. `edits` are (position in the clean content, removed, inserted).

    `meaning` estimates in [0, 1] how much of the prompt's meaning the perturbation kept; None where nothing can tell.
    `reason` says why the worst segment drifted, where the facts tell, and `encoder` what compared the segments.
    `likelihoods` are those of a multiple choice's answers (nats). With --log_samples, `segments` lists for each drifted
    segment its side, text, partner, drift and reason.
    """

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
    meaning: float | None
    prompt: str
    output: str
    tokens: int
    finish: str
    truncated: bool
    scores: dict[str, float]
    reason: str
    encoder: str
    likelihoods: tuple[float, ...] | None = None
    segments: tuple[dict[str, Any], ...] | None = None

    def to_json(self) -> str:
        content = asdict(self)
        for name in ("likelihoods", "segments"):
            if content[name] is None:
                del content[name]
        return json_line(content)


def json_line(content: Mapping[str, Any]) -> str:
    """One line of JSON; readable Unicode, except where a lone surrogate forces escapes."""
    line = json.dumps(content, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(content)
    return line


def make_folder(folder: Path, flag: str = "--output_path") -> Path:
    """The folder that `flag` names, made if need be; raises UserError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"can't write to {flag} '{folder}': {error.strerror}") from None
    return folder


class Samples:
    """samples.jsonl: appended to while the run lasts, by one process at a time."""

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
        """Write lines in one piece, so that a kill tears at most the last of them."""
        self._file.write("".join(f"{record.to_json()}\n" for record in records).encode())
        self._file.flush()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return read_samples(self._path)

    def count(self) -> int:
        """How many whole lines there are."""
        with self._path.open("rb") as lines:
            return sum(1 for _ in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _drop_torn_line(self) -> None:
        """Leave the file at the end of its last whole line; a kill in mid-write leaves half a line behind it."""
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
    """The whole lines of a samples.jsonl, one by one; raises UserError for a file that is not there or was edited."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise UserError(
                        f"{path}, line {number}: not valid JSON ({error}); delete the line to redo it"
                    ) from None
    except FileNotFoundError:
        raise UserError(f"{path.parent} is not a run: it has no {path.name}") from None
