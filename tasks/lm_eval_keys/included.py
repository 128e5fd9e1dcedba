"""Task files that include others, whose keys they add to or replace."""

from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.paths import expanded
from holdfast.yaml_file import read_yaml

_INCLUDE = "include"


def read_with_included(path: Path, including: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the keys of a task file, with those of the files that its key `include` names, one or a list.

    Args:
        path: The file; what it includes is named from its folder.
        including: The files that include it.

    Raises:
        UserError: If a file can't be read, or includes itself.
    """
    if path.resolve() in including:
        raise UserError(f"{path} includes itself: remove one '{_INCLUDE}'")
    own = read_yaml(path, "task file", yes_is_text=True)
    named = own.pop(_INCLUDE, [])
    files = [named] if isinstance(named, str) else named
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise UserError(f"{path}: '{_INCLUDE}' must be the name of a file, or a list of them, got {named!r}")
    found: dict[str, Any] = {}
    for file in files:
        found |= read_with_included(path.parent / expanded(file), (*including, path.resolve()))
    return found | own
