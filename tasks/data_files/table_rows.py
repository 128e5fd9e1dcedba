"""The rows of a text file with columns, whose cells may hold lists."""

import csv
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from holdfast.errors import UserError, printable
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.data_files.text_lines import LONGEST, text_lines

_LIKE_LIST = re.compile(r"""\[\s*(?:'.*'|".*"|-?\d[-\d\s.,]*)\s*]""", re.DOTALL)
"""A cell that may be meant as a list, such as ['Lyon', 'Lyons'], which pandas writes, and [1998, 2000]."""

_QUOTED = re.compile(r'"[^"]*"')

_SHOWN = 40
"""Characters of a cell that a warning shows."""


def table_rows(
    path: Path, separator: str, encoding: str, *, lists: bool = True
) -> Iterator[tuple[int, Fields | UserError]]:
    """Yield the rows below the header of a file with columns; rows are counted without it.

    A cell that is a JSON list of texts, such as ["Lyon", "Lyons"], is that list; a warning names those that only look
    like one. Without `lists`, all cells are texts. Semicolons separate columns where no comma stands between names in
    the header, as in files of spreadsheets in half of Europe.
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
    if separator == ",":
        unquoted = _QUOTED.sub("", header)
        separator = ";" if ";" in unquoted and "," not in unquoted else ","
    reader = csv.reader(chain([header], below), delimiter=separator, strict=True)
    names: list[str] = []
    doubts = _Doubts(path, lists)
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
            fields = dict(zip(names, map(_cell, cells) if lists else cells, strict=True))
            doubts.add(number, fields)
            yield number, fields
    for mistake in broken:
        yield number, mistake
    doubts.warn()


@dataclass(slots=True)
class _Doubts:
    """Cells that may be meant otherwise than they are read; each by its row, its column and its text."""

    path: Path
    may_be_lists: bool
    lists: list[tuple[int, str, str]] = field(default_factory=list)
    """Texts that look like lists."""
    several_rows: list[tuple[int, str, str]] = field(default_factory=list)
    """Cells of a file separated by tabs that have tabs and ends of lines themselves, as after an unpaired quote."""

    def add(self, number: int, fields: Fields) -> None:
        for name, cell in fields.items():
            if not isinstance(cell, str):
                continue
            if self.may_be_lists and cell.startswith("[") and _LIKE_LIST.fullmatch(cell):
                self.lists.append((number, name, cell))
            if self.path.suffix == ".tsv" and "\t" in cell and "\n" in cell:
                self.several_rows.append((number, name, cell))

    def warn(self) -> None:
        if self.lists:
            self._warn(self.lists, 'if a list is meant, write it as JSON, as in ["Lyon", "1998"]')
        if self.several_rows:
            self._warn(self.several_rows, "if these are several rows, a quotation mark is unpaired: write it twice")

    def _warn(self, cells: list[tuple[int, str, str]], advice: str) -> None:
        row, name, text = cells[0]
        others = f", like {len(cells) - 1} more" if cells[1:] else ""
        shown = printable(text[:_SHOWN])
        warnings.warn(f"{self.path}, row {row}: '{name}' is the text {shown}{others}: {advice}", stacklevel=3)


def _cell(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            if isinstance(found, list) and all(isinstance(each, str) for each in found):
                return found
    return text


def _check_names(path: Path, names: list[str]) -> None:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{path}: two columns are called '{twice}': rename one")
