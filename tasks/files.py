"""Reads samples from JSONL files; errors name the line."""

import json
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.reading import parse_json, read_text
from holdfast.tasks.sample import Sample

LISTS = ("paraphrases", "protect", "key_facts", "labels")
"""Metadata fields that are lists of strings; a single string counts as a list of one."""


def read_samples(path: Path) -> tuple[Sample, ...]:
    """Read samples from a JSONL file.

    Each line needs the fields `id` and `content`; `references` and `choices` are optional. All other fields become
    metadata. Numbers and truth values become text as people write them: 18.0 is "18", 1e-05 is "0.00001", true is
    "true".

    Args:
        path: The file.

    Raises:
        UserError: If the file is missing or not UTF-8, or a line has invalid JSON, a missing or invalid field or a
            duplicate id; the message names the line.
    """
    return build_samples(read_objects(path), str(path))


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the object of each line in a JSONL file, skipping blank lines.

    Args:
        path: The file.

    Raises:
        UserError: If the file is missing, unreadable or not UTF-8, or a line is not a JSON object.
    """
    return _objects(read_text(path, limit=None).split("\n"), str(path))


def build_samples(
    objects: Iterable[tuple[int, dict[str, Any]]], where: str, choices_in: str = "choices"
) -> tuple[Sample, ...]:
    """Build samples from parsed JSON objects.

    Args:
        objects: Line numbers with objects that have the fields `id`, `content` and optionally `references`.
        where: The file, for error messages.
        choices_in: The field with the choices of a multiple-choice question.

    Raises:
        UserError: If a field is missing or invalid, an id is duplicated, or there are no samples; the message names the
            line.
    """
    samples: list[Sample] = []
    lines: dict[str, int] = {}
    for number, fields in objects:
        at = f"{where}, line {number}"
        for name in ("id", "content"):
            if name not in fields:
                raise UserError(
                    f"{at}: missing field '{name}' (found {', '.join(fields) or 'none'}); add it, or map other fields "
                    "in a YAML task"
                )
        sample_id, content = fields.pop("id"), fields.pop("content")
        if not isinstance(sample_id, (str, int)) or isinstance(sample_id, bool):
            raise UserError(f"{at}: 'id' must be a string or an integer, got {json.dumps(sample_id)}")
        if not isinstance(content, str):
            raise UserError(f"{at}: 'content' must be a string, got {json.dumps(content)[:60]}")
        references = _texts(fields.pop("references", ()), "references", at)
        fields |= {name: _texts(fields[name], name, at) for name in LISTS if name in fields}
        choices = _choices(fields.pop(choices_in), choices_in, references, at) if choices_in in fields else ()
        sample = Sample(str(sample_id), content, references, fields, choices)
        if sample.id in lines:
            raise UserError(f"{at}: duplicate id '{sample.id}', also on line {lines[sample.id]}; ids must be unique")
        for name in ("references", "choices"):
            if samples and bool(getattr(sample, name)) != bool(getattr(samples[0], name)):
                raise UserError(f"{at}: only some samples have {name}; add them to all samples or none")
        lines[sample.id] = number
        samples.append(sample)
    if not samples:
        raise UserError(f"{where} contains no samples")
    return tuple(samples)


def _objects(lines: Iterable[str], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        value = parse_json(line, f"{where}, line {number}", unique=True)
        if not isinstance(value, dict):
            raise UserError(
                f"{where}, line {number}: expected a JSON object with named fields, got {line.strip()[:40]}"
            )
        yield number, value


def _choices(value: Any, field: str, references: tuple[str, ...], at: str) -> tuple[str, ...]:
    choices = tuple(map(str.strip, _texts(value, field, at)))
    if len(choices) < 2 or len(set(choices)) < len(choices) or not all(choices):
        raise UserError(f"{at}: '{field}' must be at least two distinct non-empty strings, got {list(choices)}")
    for reference in references:
        if reference.strip() not in choices:
            raise UserError(f"{at}: the reference '{reference}' is not one of the choices {list(choices)}")
    return choices


def _texts(value: Any, field: str, at: str) -> tuple[str, ...]:
    values = value if isinstance(value, (list, tuple)) else [value]
    for each in values:
        if isinstance(each, float) and not math.isfinite(each):
            raise UserError(f"{at}: '{field}' contains {json.dumps(each)}; replace it with a string or a finite number")
        if not isinstance(each, (str, int, float)):
            raise UserError(f"{at}: '{field}' must be a string or a list of strings, got {json.dumps(value)[:60]}")
    return tuple(map(_text, values))


def _text(value: str | int | float) -> str:
    """Return a value as people write it: 18.0 as 18, 1e-05 as 0.00001, true as in JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return str(value)
