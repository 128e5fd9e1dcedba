"""One registry for every kind of plug-in: catalogue underneath, found by importing a folder, with "did you mean"."""

import importlib
import pkgutil
import warnings
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean

T = TypeVar("T")
_OURS = "holdfast."


class Registry(Generic[T]):
    """Named plug-ins of one kind.

    Built-ins register when the modules of `package` are imported. Third-party ones register in the same way, by the
    folder's decorator, when the module that their entry point (group `holdfast_<kind>`) names is imported. Modules must
    import nothing heavy at their top, so that listing names is instant.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._discovered = False

    @property
    def _singular(self) -> str:
        return self.kind.removesuffix("s")

    @cached_property
    def _entries(self) -> Any:
        import catalogue

        return catalogue.create("holdfast", self.kind)

    @cached_property
    def _third_party(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for entry in entry_points(group=f"holdfast_{self.kind}"):
            if entry.name in found:
                warnings.warn(
                    f"{_whose(entry)} is not used: {_whose(found[entry.name])} has that name; uninstall one",
                    stacklevel=3,
                )
            found.setdefault(entry.name, entry)
        return found

    def register(self, name: str, item: T) -> None:
        """Add `item` under `name`. A module may do so again, as a cell of a notebook does.

        Raises UserError where another module, ours or anybody's, has given the name to something else.
        """
        module = _module_of(item)
        if not module.startswith(_OURS):
            self._discover()  # or what is built in came second, and took the name back
        there = _module_of(self._entries.get(name)) if name in self._entries else module
        if there != module:
            raise UserError(
                f"there is a {self._singular} '{name}' already, of {there}: give that of {module} another name"
            )
        self._entries.register(name, func=item)

    def names(self) -> list[str]:
        """All names, sorted, third-party ones included; third-party code is not imported."""
        self._discover()
        return sorted({*self._entries.get_all(), *self._third_party})

    def get(self, name: str) -> T:
        """The plug-in called `name`.

        Raises UserError, with the nearest name, when there is none, and for a third-party one that can't be imported.
        """
        self._discover()
        if name not in self._entries and name in self._third_party:
            self._import(self._third_party[name])
        if name not in self._entries:
            hint = did_you_mean(name, self.names())
            raise UserError(f"unknown {self._singular} '{name}'{hint} (holdfast ls {self.kind} lists all)")
        item: T = self._entries.get(name)
        return item

    def _import(self, entry: EntryPoint) -> None:
        where = _whose(entry)
        try:
            entry.load()
        except Exception as error:  # a plug-in may fail in any way; its user needs to know whose it is
            raise UserError(
                f"{where} can't be imported ({type(error).__name__}: {error}): mend or uninstall it"
            ) from error
        if entry.name not in self._entries:
            raise UserError(f"{where} registers no {self._singular} of that name: decorate it")

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True  # first, since a module may ask for a name while it is imported
        try:
            folder = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(folder.__path__):
                if not module.ispkg and module.name != "testing":
                    importlib.import_module(f"{self._package}.{module.name}")
        except BaseException:
            self._discovered = False
            raise
        for name, entry in self._third_party.items():
            if name in self._entries and (ours := _module_of(self._entries.get(name))).startswith(_OURS):
                warnings.warn(
                    f"{_whose(entry)} is not used: holdfast has a {self._singular} of that name ({ours})", stacklevel=4
                )


def _whose(entry: EntryPoint) -> str:
    return f"plug-in '{entry.name}' of {entry.dist.name if entry.dist else 'an unknown package'}"


def _module_of(item: object) -> str:
    """The module of the function that `item` is or holds; of its class, where it holds none."""
    parts = [getattr(item, each.name) for each in fields(item)] if is_dataclass(item) else [item]
    return str(next((part for part in parts if callable(part)), type(item)).__module__)
