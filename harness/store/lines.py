"""Read the lines of samples.jsonl, and check that each has the fields of an answer and their types."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.reading import check_readable, parse_json

Line = dict[str, Any]
"""A line of samples.jsonl: the fields of `Record`."""

_TEXTS = (
    *("key", "adapter", "adapter_digest", "task", "sample", "perturbation", "severity"),
    *("prompt", "output", "finish", "reason", "encoder"),
)


def read_lines(path: Path) -> Iterator[tuple[str, Line]]:
    """Yield the place, for messages, and the fields of each complete line of a samples.jsonl.

    Raises:
        UserError: If the file can't be read, or at a line that no run writes.
    """
    check_readable(path)
    with path.open("rb") as lines:
        for number, text in enumerate(lines, 1):
            if not text.endswith(b"\n"):
                return
            where = f"{path}, line {number}"
            line = parse_json(text, where)
            if wrong := problem_of(line):
                raise UserError(f"{where} is not an answer of a run: {wrong}")
            yield where, line


def problem_of(line: Any) -> str:
    """Return what is wrong with the fields of a line, or "" if they have the types of `Record`."""
    if not isinstance(line, dict):
        return "it is not a JSON object"
    if set(map(type, map(line.get, _TEXTS))) != {str}:
        return f"{next(name for name in _TEXTS if type(line.get(name)) is not str)} is missing or not text"
    for name in ("repeat", "tokens"):
        if type(line.get(name)) is not int or not 0 <= line[name] < 2**53:
            return f"{name} is missing or not a whole number"
    if not isinstance(line.get("truncated"), bool):
        return "truncated is missing or not a truth value"
    if not _is_number(line.get("edit_rate")) or not (line.get("meaning") is None or _is_number(line["meaning"])):
        return "edit_rate or meaning is not a number"
    if not isinstance(line.get("scores"), dict) or not all(map(_is_number, line["scores"].values())):
        return "scores is missing or contains something other than numbers"
    if not isinstance(line.get("edits"), list) or not all(map(is_edit, line["edits"])):
        return "edits is missing or contains something other than [position, removed, inserted]"
    return _problem_of_options(line)


def _problem_of_options(line: Mapping[str, Any]) -> str:
    likelihoods, segments = line.get("likelihoods", []), line.get("segments", [])
    if not isinstance(likelihoods, list) or not all(map(_is_number, likelihoods)):
        return "likelihoods are not numbers"
    if not isinstance(line.get("reasoning", ""), str):
        return "reasoning is not text"
    return "" if isinstance(segments, list) else "segments are not a list"


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold."""
    return type(value) in (int, float) and abs(value) < 1e300  # which NaN and infinity are not


def is_edit(value: Any) -> bool:
    """Whether a value is an edit in JSON: [position, removed, inserted]."""
    return isinstance(value, list) and list(map(type, value)) == [int, str, str] and value[0] >= 0
