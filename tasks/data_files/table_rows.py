"""The rows of a text file with columns, whose cells may hold lists."""

import csv
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.text_lines import LONGEST, text_lines

_LIKE_LIST = re.compile(r"""\[\s*(?:'.*'|".*"|-?\d[-\d\s.,]*)\s*]""", re.DOTALL)
"""A cell that may be meant as a list, such as ['Lyon', 'Lyons'], which pandas writes, and [1998, 2000]."""


def table_rows(path: Path, separator: str, encoding: str) -> Iterator[tuple[int, Fields | UserError]]:
    """Yield the rows below the header of a file with columns; rows are counted without it.

    A cell that is a JSON list of texts, such as ["Lyon", "Lyons"], is that list; a warning names those that only look
    like one. Semicolons separate columns where the header has no comma, as in files of spreadsheets in half of Europe.
    """
    broken: list[UserError] = []

    def lines() -> Iterator[str]:
        for _, line in text_lines(path, encoding):
            if isinstance(line, UserError):
                broken.append(line)
            else:
                yield f"{line}\n"

    csv.field_size_limit(LONGEST)
    below = lines()
    header = next(below, "")
    if separator == "," and separator not in header and ";" in header:
        separator = ";"
    reader = csv.reader(chain([header], below), delimiter=separator, strict=True)
    names: list[str] = []
    doubtful: list[tuple[int, str, str]] = []
    number = -1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield number + 1, UserError(f"{path}, line {reader.line_num}: not valid {path.suffix[1:].upper()}: {error}")
            break
        if cells is None:
            break
        if not cells:  # a blank line
            continue
        number += 1
        if number == 0:
            names = [name.strip() for name in cells]
            _check_names(path, names)
        elif len(cells) != len(names):
            yield number, UserError(f"{path}, row {number}: {len(cells)} cells, but the header has {len(names)}")
        else:
            fields = dict(zip(names, map(_cell, cells), strict=True))
            doubtful += [(number, *each) for each in fields.items() if _is_like_list(each[1])]
            yield number, fields
    for mistake in broken:
        yield number, mistake
    _warn_of_lists(path, doubtful)


def _warn_of_lists(path: Path, doubtful: list[tuple[int, str, str]]) -> None:
    """Warn of cells that look like lists but are texts, given by row, column and text."""
    if not doubtful:
        return
    row, name, text = doubtful[0]
    others = f", like {len(doubtful) - 1} more" if doubtful[1:] else ""
    warnings.warn(
        f"{path}, row {row}: '{name}' is the text {text:.40}{others}: if a list is meant, write it as JSON, as in "
        '["Lyon", "1998"]',
        stacklevel=2,
    )


def _cell(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            if isinstance(found, list) and all(isinstance(each, str) for each in found):
                return found
    return text


def _is_like_list(cell: Any) -> bool:
    return isinstance(cell, str) and cell.startswith("[") and bool(_LIKE_LIST.fullmatch(cell))


def _check_names(path: Path, names: list[str]) -> None:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{path}: two columns are called '{twice}': rename one")
