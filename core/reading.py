"""Read files that users or strangers wrote: a value or one UserError, whatever is in them."""

import json
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError

SETTINGS_LIMIT = 64 * 2**20
"""Bytes of the largest file of settings (a configuration, a manifest, a card) that is read."""

_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell puts the pipes of `<(...)`; a pipe elsewhere may never be written to."""


def check_readable(path: Path, what: str = "file") -> None:
    """Raise UserError unless `path` is a file, or a pipe from the shell, that can be read.

    Args:
        path: The file.
        what: What the file is, for messages, as in "configuration file".
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UserError(f"{what} '{path}' is a directory: name a file")
        if not stat.S_ISREG(mode) and not (stat.S_ISFIFO(mode) and str(path).startswith(_PIPES)):
            raise UserError(f"{what} '{path}' is a device or a pipe: name a file")
        if not os.access(path, os.R_OK):
            raise PermissionError(0, "Permission denied")
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{what} '{path}' does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UserError(f"can't read {what} '{path}': {reason_of(error)}") from None


def read_bytes(path: Path, what: str = "file", *, limit: int | None = None) -> bytes:
    """Return the content of a file.

    Args:
        path: The file.
        what: What the file is, for messages.
        limit: The largest number of bytes to read; None reads files of any size.

    Raises:
        UserError: If it is missing, too large, no file or unreadable.
    """
    check_readable(path, what)
    try:
        with path.open("rb") as stream:
            content = stream.read() if limit is None else stream.read(limit + 1)
    except OSError as error:
        raise UserError(f"can't read {what} '{path}': {reason_of(error)}") from None
    if limit is not None and len(content) > limit:
        raise UserError(f"{what} '{path}' is larger than the limit of {limit / 2**20:g} MiB")
    return content


def read_text(path: Path, what: str = "file", *, limit: int | None = SETTINGS_LIMIT) -> str:
    """Return the text of a UTF-8 file; raises UserError like `read_bytes`, or naming the line that isn't UTF-8."""
    content = read_bytes(path, what, limit=limit)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}, line {line}: not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        ) from None


def parse_json(text: str | bytes, where: str, *, unique: bool = False) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text.
        where: Where it comes from, for messages.
        unique: Refuse objects that have a name twice; otherwise the last value counts.

    Raises:
        UserError: If it is invalid or nested too deeply.
    """
    try:
        if unique and isinstance(text, str):
            return _unique_decoder().decode(text)
        return json.loads(text, object_pairs_hook=_unique_object if unique else None)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except RecursionError:
        raise UserError(f"{where}: not valid JSON: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{where}: not valid JSON: {error}") from None


def read_json(path: Path, what: str = "file") -> Any:
    """Return the value of a JSON file of settings; raises UserError."""
    return parse_json(read_text(path, what), f"{what} '{path}'", unique=True)


@cache
def _unique_decoder() -> json.JSONDecoder:
    """Return one decoder for all texts: json.loads would make one for each line of a file."""
    return json.JSONDecoder(object_pairs_hook=_unique_object)


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"'{twice[:60]}' is given twice: leave one out")
    return found


def reason_of(error: Exception) -> str:
    """Return why the system refused a file, in its own words."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def place_of(error: Any) -> str:
    """Return the field at which pydantic's validation of a file failed, or "no JSON object"."""
    return ".".join(map(str, error.errors()[0]["loc"])) or "no JSON object"
