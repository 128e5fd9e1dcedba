"""The answers of a page as compressed JSON, column by column, every text once."""

import base64
import gzip
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from holdfast.harness.results.report.page_answer import PageAnswer

CODED = ("run", "adapter", "task", "perturbation", "severity", "outcome", "kind", "groups")
"""Fields with few values: a column holds places in a list of these."""

TEXTS = ("clean", "output", "baseline", "reason")
"""Fields with texts that repeat: a column holds places in one list of all texts."""

_DIGITS = 4
_LEVEL = 6


def packed(answers: Sequence[PageAnswer]) -> str:
    """Return answers in base64, gzipped JSON.

    Returns:
        `values` by the names of coded fields, `texts` and the `text_fields` that point into them, and `columns` by the
        field's name.
    """
    texts: dict[str | None, int] = {None: 0}
    values: dict[str, list[Any]] = {}
    columns: dict[str, list[Any]] = {}
    for field in fields(PageAnswer):
        column = [getattr(answer, field.name) for answer in answers]
        if field.name in CODED:
            values[field.name], column = _coded(column)
        elif field.name in TEXTS:
            column = [texts.setdefault(text, len(texts)) for text in column]
        columns[field.name] = [_rounded(value) for value in column]
    content = {"values": values, "texts": list(texts), "text_fields": TEXTS, "columns": columns}
    written = json.dumps(content, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(written, _LEVEL, mtime=0)).decode()


def _coded(column: Iterable[Any]) -> tuple[list[Any], list[int]]:
    places: dict[Any, int] = {}
    coded = [places.setdefault(value, len(places)) for value in column]
    return list(places), coded


def _rounded(value: Any) -> Any:
    """Return a number as JSON can hold it: NaN as null."""
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value
