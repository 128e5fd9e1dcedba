"""Reads the word lists and tables in packages' `data` folders."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any


def read_lines(name: str, package: str = "holdfast.language") -> list[str]:
    """Return the lines of `data/<name>` in a package, without blank lines and comments (`#`)."""
    lines = _read(name, package).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def words_in(name: str) -> Iterator[str]:
    """Yield the words of a table without heads."""
    return (word for line in read_lines(name) for word in line.split())


def rows_of(name: str) -> Iterator[tuple[str, str]]:
    """Yield the `head: words` rows of a table."""
    for line in read_lines(name):
        head, _, rest = line.partition(": ")
        yield head, rest


def sides_of(name: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the kind of each conflict in a table, and the words on each of its sides."""
    kind = ""
    for line in read_lines(name):
        if line.startswith("["):
            kind = line.strip("[]")
        else:
            yield kind, [side.split() for side in line.split("|")]


def read_json(name: str, package: str = "holdfast.language") -> Any:
    """Return the parsed JSON of `data/<name>` in a package."""
    return json.loads(_read(name, package))


@cache
def _read(name: str, package: str) -> str:
    return (files(package) / "data" / name).read_text(encoding="utf-8")
