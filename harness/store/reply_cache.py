"""What a model replied, kept in a file, so that a run can be repeated without asking again."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.store.records import json_line
from holdfast.reading import parse_json, read_bytes
from holdfast.writing import named_errors, new_folder

_START = b'{"key": "'
"""How every line begins."""


class ReplyCache:
    """A file of lines with a key and a reply.

    Args:
        path: The file, which may not exist yet.
        kind: What a reply is called: the name of its field, and part of messages.

    Raises:
        UserError: If the file can't be read or is something else.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self.known = self._read()

    def add(self, key: str, asked: Mapping[str, str], reply: str) -> None:
        """Append a reply, with what was asked for the reader; raises UserError if it can't be written."""
        line = json_line({"key": key, **asked, self._kind: reply})
        with (
            new_folder(self._path.parent, "cache"),
            named_errors(self._path),
            self._path.open("a", encoding="utf-8") as file,
        ):
            file.write(line + "\n")
        self.known[key] = reply

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        content = read_bytes(self._path, f"{self._kind} cache")
        whole = content.rfind(b"\n") + 1  # a kill leaves half a line behind it
        found: dict[str, str] = {}
        for number, text in enumerate(content[:whole].split(b"\n")[:-1], 1):
            line = parse_json(text, f"{self._path}, line {number}")
            if not isinstance(line, dict) or not all(isinstance(line.get(name), str) for name in ("key", self._kind)):
                raise UserError(
                    f"{self._path}, line {number}: not a line of a {self._kind} cache, which has key and {self._kind}; "
                    "use another file with cache=..."
                )
            found[line["key"]] = line[self._kind]
        torn = content[whole : whole + len(_START)]
        if torn != _START[: len(torn)]:
            raise UserError(
                f"{self._path}: its last line is not one of a {self._kind} cache; use another file with cache=..."
            )
        if torn:
            with named_errors(self._path):
                os.truncate(self._path, whole)
        return found


def key_of(*fields: Any) -> str:
    """Return the key of what was asked: everything that the reply depends on."""
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
