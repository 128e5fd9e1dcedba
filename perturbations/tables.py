"""Reading the data files beside the modules."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


def read_lines(name: str) -> list[str]:
    """The lines of `data/<name>`, without blank ones and comments (`#`)."""
    lines = _read(name).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_json(name: str) -> Any:
    """The value in `data/<name>`."""
    return json.loads(_read(name))


@cache
def _read(name: str) -> str:
    return (files("holdfast.perturbations") / "data" / name).read_text(encoding="utf-8")
