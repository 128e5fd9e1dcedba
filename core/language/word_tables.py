"""Reads the word lists and tables in packages' `data` folders."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


def read_lines(name: str, package: str = "holdfast.language") -> list[str]:
    """Return the lines of `data/<name>` in a package, without blank lines and comments (`#`)."""
    lines = _read(name, package).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_json(name: str, package: str = "holdfast.language") -> Any:
    """Return the parsed JSON of `data/<name>` in a package."""
    return json.loads(_read(name, package))


@cache
def _read(name: str, package: str) -> str:
    return (files(package) / "data" / name).read_text(encoding="utf-8")
