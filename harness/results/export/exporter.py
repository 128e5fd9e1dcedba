"""What a format is: a function that writes a run into a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from holdfast.harness.results.export.exported_run import ExportedRun
from holdfast.registry import Registry

Write = Callable[[ExportedRun, Path], None]


@dataclass(frozen=True, slots=True)
class Exporter:
    """A registered format."""

    name: str
    write: Write
    """`write(run, folder)` writes the run into a folder that exists."""
    modules: tuple[str, ...] = ()
    """The modules that it needs, and which may not be installed."""
    appends: bool = False
    """Whether a folder with earlier exports takes another, as a store of experiments does."""


exporters: Registry[Exporter] = Registry("exporters", "holdfast.harness.results.export.formats")

W = TypeVar("W", bound=Write)


def exporter(name: str, *, modules: tuple[str, ...] = (), appends: bool = False) -> Callable[[W], W]:
    """Register the decorated function as a format; the first line of its docstring describes it.

    Args:
        name: The name for `--to`.
        modules: The modules that it needs, if not everybody has them.
        appends: Whether a folder with earlier exports takes another.
    """

    def register(write: W) -> W:
        exporters.register(name, Exporter(name, write, modules, appends))
        return write

    return register
