"""Paths that users hand in."""

import os
from pathlib import Path

from holdfast.errors import UserError


def expanded(name: str) -> Path:
    """Return a path with ~ expanded, unless there is no such user."""
    return Path(os.path.expanduser(name))


def as_path(value: object, name: str) -> Path:
    """Return a path given as a string or path object; raises UserError naming the parameter for anything else."""
    if isinstance(value, (str, os.PathLike)):
        return Path(value)
    raise UserError(f"{name} must be a path, got {type(value).__name__}")
