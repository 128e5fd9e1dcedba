"""The `DataSet` record, and the registry of published data sets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.registry import Registry
from holdfast.tasks.data_files.data_rows import FORMATS
from holdfast.tasks.data_files.data_sets import is_data_set
from holdfast.tasks.sample import GROUP
from holdfast.tasks.task import Task


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published data set that users have, as a file or a folder, or take from a hub."""

    name: str
    """`--tasks NAME=PATH` reads it from a file or folder, `--tasks NAME` from the hub or its cache."""
    about: str
    read: Callable[[str, str], Task]
    """`read(name, path)` reads the task from a path; from the hub if it is empty."""


data_sets: Registry[DataSet] = Registry("datasets", "holdfast.tasks.published")


def find_data_set(spec: str) -> tuple[DataSet, str] | None:
    """Return the data set that `NAME` or `NAME=PATH` names, and the path; None if it has no such form.

    Raises:
        UserError: If it has that form, or its family is known, such as glue, but not its name.
    """
    name, equals, source = spec.partition("=")
    families = {each.partition("/")[0] for each in data_sets.names()}
    known = name.partition("/")[0] in families or bool(equals and name.isidentifier())
    if not known or expanded(spec).exists():
        return None
    return data_sets.get(name), source


def located(source: str, file: str, name: str) -> str:
    """Return the file or data set to read: `source` itself, or in a folder as published the file with its usual name.

    Raises:
        UserError: If there is none.
    """
    path = expanded(source)
    if path.suffix in FORMATS or is_data_set(str(path)):
        return str(path)
    for each in (path / file, path / Path(file).name):
        if each.is_file():
            return str(each)
    raise UserError(
        f"{name}: '{source}' is neither a file ({', '.join(FORMATS)}) nor a folder that has {file}: name the file, "
        f"as in {name}=PATH"
    )


def classified(fields: dict[str, Any], label: Any, classes: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return the fields of a sample with its reference, labels and group, from a label given by name or by number.

    Raises:
        UserError: If it is none of the classes.
    """
    text = str(label).strip()
    if text.isdecimal() and int(text) < len(classes):
        text = classes[int(text)]
    if text not in classes:
        hidden = " (the labels of test splits are hidden: use the validation split)" if text == "-1" else ""
        raise UserError(f"{where}: the label '{text}' is not one of {', '.join(classes)}{hidden}")
    given = fields.get(GROUP, {})
    return {**fields, "references": text, "labels": list(classes), GROUP: {"label": text, **given}}
