"""One registry for every kind of plug-in: catalogue underneath, found by importing a folder, with "did you mean"."""

import difflib
import importlib
import pkgutil
from functools import cached_property
from typing import Any, Generic, TypeVar

from holdfast.errors import UserError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named plug-ins of one kind.

    Built-ins register when the modules of `package` are imported, third-party ones through the entry-point group
    `holdfast_<kind>`. Modules of `package` must import nothing heavy at their top, so that listing names is instant.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._discovered = False

    @cached_property
    def _entries(self) -> Any:
        import catalogue

        return catalogue.create("holdfast", self.kind, entry_points=True)

    def register(self, name: str, item: T) -> None:
        """Add `item` under `name`; the last one registered under a name wins."""
        self._entries.register(name, func=item)

    def names(self) -> list[str]:
        """All names, sorted, third-party ones included; third-party code is not imported."""
        self._discover()
        return sorted({*self._entries.get_all(), *self._entries.get_entry_points()})

    def get(self, name: str) -> T:
        """The plug-in called `name`; raises UserError with the nearest names when there is none."""
        self._discover()
        if name not in self._entries:
            raise UserError(self._unknown(name))
        item: T = self._entries.get(name)
        return item

    def _unknown(self, name: str) -> str:
        singular = self.kind.removesuffix("s")
        near = difflib.get_close_matches(name, self.names(), n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"unknown {singular} '{name}'{hint} (holdfast ls {self.kind} lists all)"

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        folder = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(folder.__path__):
            if not module.ispkg and module.name != "testing":
                importlib.import_module(f"{self._package}.{module.name}")
