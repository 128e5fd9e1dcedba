"""Builds samples from rows; all mistakes are reported at once, with their rows and fields."""

import difflib
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.data_files.data_rows import DataRows, data_rows
from holdfast.tasks.data_files.mistakes import Mistakes
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.sample import Sample

LISTS = ("paraphrases", "protect", "key_facts", "labels", "forms")
"""Metadata fields that are lists of strings; a single string counts as a list of one, and an empty one as none."""


_MAPPED = ("id", "content", "references")


def read_samples(path: Path) -> tuple[Sample, ...]:
    """Read samples from a JSONL file.

    Each line needs the fields `id` and `content`; `references` and `choices` are optional. All other fields become
    metadata. Numbers and truth values become text as people write them: 18.0 is "18", 1e-05 is "0.00001", true is
    "true".

    Args:
        path: The file.

    Raises:
        UserError: If the file is missing, or lines are not UTF-8 or too long, or have invalid JSON, a missing or
            invalid field or a duplicate id; the message names the lines.
    """
    return build_samples(data_rows(path))


def build_samples(
    source: DataRows,
    *,
    choices_in: str = "choices",
    called: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Sample, ...]:
    """Build samples from rows.

    Args:
        source: The rows, with the fields `id`, `content` and optionally `references`.
        choices_in: The field with the choices of a multiple-choice question.
        called: What people call the fields that they mapped to ours, for error messages.

    Raises:
        UserError: If a field is missing or invalid, an id is duplicated, or there are no samples; the message names the
            rows, all of them unless there are many.
    """
    building = _Building(source.where, source.unit, choices_in, {name: called.get(name, name) for name in _MAPPED})
    mistakes = Mistakes(source.where)
    for number, fields in source.rows:
        try:
            if isinstance(fields, UserError):
                raise fields
            building.add(number, fields)
        except UserError as error:
            mistakes.add(error)
    mistakes.check()
    if not building.samples:
        raise UserError(f"{source.where} contains no samples")
    _warn_of_misspelt_references(source.where, building.samples[0])
    return tuple(building.samples)


def _warn_of_misspelt_references(where: str, first: Sample) -> None:
    """Warn if nothing can be right or wrong in a file that seems to have references under a misspelt name."""
    near = difflib.get_close_matches("references", map(str, first.metadata), n=1, cutoff=0.8)
    if near and not first.references:
        warnings.warn(
            f"{where} has no 'references', so that its answers are judged by drift alone; if '{near[0]}' holds them, "
            f"rename it, or add --references {near[0]}",
            stacklevel=2,
        )


@dataclass(slots=True)
class _Building:
    """The samples of the rows so far."""

    where: str
    unit: str
    choices_in: str
    called: Mapping[str, str]
    samples: list[Sample] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, fields: Fields) -> None:
        """Add the sample of a row; raise UserError if something is wrong with it."""
        at, called = f"{self.where}, {self.unit} {number}", self.called
        for name in ("id", "content"):
            if name not in fields:
                raise UserError(
                    f"{at}: missing field '{name}' (found {', '.join(fields) or 'none'}); add it, or map other fields "
                    "with --content and --references, or in a YAML task"
                )
        sample_id, content = fields.pop("id"), fields.pop("content")
        if not isinstance(sample_id, (str, int)) or isinstance(sample_id, bool):
            raise UserError(f"{at}: '{called['id']}' must be a string or an integer, got {json.dumps(sample_id)}")
        if not isinstance(content, str):
            raise UserError(f"{at}: '{called['content']}' must be a string, got {json.dumps(content)[:60]}")
        if not content.strip():
            raise UserError(f"{at}: '{called['content']}' is empty: write what is asked, or leave the row out")
        references = _texts(fields.pop("references", ()), called["references"], at)
        if not all(map(str.strip, references)):
            answers = called["references"]
            raise UserError(f"{at}: '{answers}' has an empty answer: write it, or leave '{answers}' out of all rows")
        for name in LISTS:
            if name in fields:
                listed = _texts(fields.pop(name), name, at)
                fields |= {name: listed} if listed != ("",) else {}
        choices: tuple[str, ...] = ()
        if self.choices_in in fields and (given := fields.pop(self.choices_in)) != "":
            choices = _choices(given, self.choices_in, references, at)
        _check_label(references, fields, at)
        try:
            sample = Sample(_text(sample_id), content, references, fields, choices)
        except UserError as error:
            raise UserError(f"{at}: {error}") from None
        self._append(at, number, sample)

    def _append(self, at: str, number: int, sample: Sample) -> None:
        first = self.places.setdefault(sample.id, number)
        if first != number:
            raise UserError(f"{at}: duplicate id '{sample.id}', also on {self.unit} {first}; ids must be unique")
        for name in ("references", "choices") if self.samples else ():
            if bool(getattr(sample, name)) != bool(getattr(self.samples[0], name)):
                raise UserError(f"{at}: only some samples have {name}; add them to all samples or none")
        self.samples.append(sample)


def _check_label(references: tuple[str, ...], fields: Fields, at: str) -> None:
    """Raise UserError for a reference that is none of the sample's own labels."""
    if labels := fields.get("labels"):
        for reference in references:
            if reference not in labels:
                raise UserError(f"{at}: the reference '{reference}' is not one of the labels {list(labels)}")


def _choices(value: Any, name: str, references: tuple[str, ...], at: str) -> tuple[str, ...]:
    choices = tuple(map(str.strip, _texts(value, name, at)))
    if len(choices) < 2 or len(set(choices)) < len(choices) or not all(choices):
        raise UserError(f"{at}: '{name}' must be at least two distinct non-empty strings, got {list(choices)}")
    for reference in references:
        if reference.strip() not in choices:
            raise UserError(f"{at}: the reference '{reference}' is not one of the choices {list(choices)}")
    return choices


def _texts(value: Any, name: str, at: str) -> tuple[str, ...]:
    values = value if isinstance(value, (list, tuple)) else [value]
    if {*map(type, values)} <= {str}:
        return tuple(values)
    for each in values:
        if isinstance(each, float) and not math.isfinite(each):
            raise UserError(f"{at}: '{name}' contains {json.dumps(each)}; replace it with a string or a finite number")
        if not isinstance(each, (str, int, float)):
            raise UserError(f"{at}: '{name}' must be a string or a list of strings, got {json.dumps(value)[:60]}")
    return tuple(map(_text, values))


def _text(value: str | int | float) -> str:
    """Return a value as people write it: 18.0 as 18, 1e-05 as 0.00001, true as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return str(value)
