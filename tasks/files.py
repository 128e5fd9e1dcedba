"""Reading samples from JSON lines, with errors that name the line."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.task import Sample

LISTS = ("paraphrases", "protect", "key_facts", "labels")
"""Metadata that perturbations and metrics read as lists of texts; one text stands for a list of one."""


def read_samples(path: Path) -> tuple[Sample, ...]:
    """The samples of a JSONL file with the fields `id`, `content` and, if there are any, `references` and `choices`.

    All other fields become metadata. Raises UserError for a missing file or field, a duplicate id, broken JSON (all
    with the line number) and text that is not UTF-8.
    """
    return build_samples(read_objects(path), str(path))


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for each line of a JSONL file; blank lines are skipped."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"no file '{path}'") from None
    except OSError as error:
        raise UserError(f"can't read '{path}': {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}, line {line}: not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        ) from None
    return _objects(text.split("\n"), str(path))


def build_samples(
    objects: Iterable[tuple[int, dict[str, Any]]], where: str, choices_in: str = "choices"
) -> tuple[Sample, ...]:
    """Samples from objects with `id`, `content`, `references` and, in the field `choices_in`, what to choose from.

    Raises UserError naming the line.
    """
    samples: list[Sample] = []
    lines: dict[str, int] = {}
    for number, fields in objects:
        at = f"{where}, line {number}"
        for name in ("id", "content"):
            if name not in fields:
                raise UserError(
                    f"{at}: the field '{name}' is missing (it has {', '.join(fields) or 'none'}); add it, or map "
                    "other fields in a YAML task"
                )
        sample_id, content = fields.pop("id"), fields.pop("content")
        if not isinstance(sample_id, (str, int)):
            raise UserError(f"{at}: 'id' must be text or a whole number, not {json.dumps(sample_id)}")
        if not isinstance(content, str):
            raise UserError(f"{at}: 'content' must be text, not {json.dumps(content)[:60]}")
        references = _texts(fields.pop("references", ()), "references", at)
        fields |= {name: _texts(fields[name], name, at) for name in LISTS if name in fields}
        choices = _choices(fields.pop(choices_in), choices_in, references, at) if choices_in in fields else ()
        sample = Sample(str(sample_id), content, references, fields, choices)
        if sample.id in lines:
            raise UserError(f"{at}: the id '{sample.id}' was used in line {lines[sample.id]} already; ids must differ")
        for name in ("references", "choices"):
            if samples and bool(getattr(sample, name)) != bool(getattr(samples[0], name)):
                raise UserError(f"{at}: some samples have {name} and some have none; give them to all or to none")
        lines[sample.id] = number
        samples.append(sample)
    if not samples:
        raise UserError(f"{where} holds no samples")
    return tuple(samples)


def _objects(lines: Iterable[str], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UserError(f"{where}, line {number}: not valid JSON: {error}") from None
        if not isinstance(value, dict):
            raise UserError(
                f"{where}, line {number}: expected a JSON object with named fields, found {line.strip()[:40]}"
            )
        yield number, value


def _choices(value: Any, field: str, references: tuple[str, ...], at: str) -> tuple[str, ...]:
    choices = tuple(map(str.strip, _texts(value, field, at)))
    if len(choices) < 2 or len(set(choices)) < len(choices) or not all(choices):
        raise UserError(f"{at}: '{field}' must be at least two texts, none empty, none twice: {list(choices)}")
    for reference in references:
        if reference.strip() not in choices:
            raise UserError(f"{at}: the reference '{reference}' is none of the choices: {list(choices)}")
    return choices


def _texts(value: Any, field: str, at: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, (str, int, float)) else value
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, (str, int, float)) for v in values):
        raise UserError(f"{at}: '{field}' must be text or a list of texts, not {json.dumps(value)[:60]}")
    return tuple(map(str, values))
