"""One registry for every kind of plug-in: catalogue underneath, filled by importing folders, with "did you mean"."""

import importlib
import pkgutil
import warnings
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from holdfast.errors import UserError
from holdfast.suggestions import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_OURS = "holdfast."


class Registry(Generic[T]):
    """Named plug-ins of one kind.

    Built-ins register when the modules of `packages` are imported (their subpackages are not). Third-party ones
    register in the same way, by the folder's decorator, when the module named by their entry point (group
    `holdfast_<kind>`) is imported. Modules must not import anything heavy at the top, so that listing names is instant.
    """

    def __init__(self, kind: str, *packages: str) -> None:
        self.kind = kind
        self._packages = packages
        self._discovered = False

    @property
    def _singular(self) -> str:
        return self.kind.removesuffix("s")

    @cached_property
    def _entries(self) -> Any:
        import catalogue

        return catalogue.create("holdfast", self.kind)

    @cached_property
    def third_party(self) -> "dict[str, EntryPoint]":
        """Entry points of other packages, by name; nothing of them is imported."""
        found: dict[str, EntryPoint] = {}
        import catalogue

        for entry in catalogue.AVAILABLE_ENTRY_POINTS.select(group=f"holdfast_{self.kind}"):
            if entry.name in found:
                warnings.warn(
                    f"{_whose(entry)} is ignored: {_whose(found[entry.name])} has the same name; uninstall one of them",
                    stacklevel=3,
                )
            found.setdefault(entry.name, entry)
        return found

    def register(self, name: str, item: T) -> None:
        """Add `item` under `name`. The same module may do so again, as a notebook cell does when it is run twice.

        Raises:
            UserError: If another module, built-in or third-party, has registered the name.
        """
        module = _module_of(item)
        if not module.startswith(_OURS):
            self._discover()  # first, or a plug-in could take the name of a built-in that is not imported yet
        there = _module_of(self._entries.get(name)) if name in self._entries else module
        if there != module:
            raise UserError(f"{self._singular} '{name}' is already registered by {there}: rename the one in {module}")
        self._entries.register(name, func=item)

    def names(self) -> list[str]:
        """Return all names, sorted, third-party ones included; third-party code is not imported."""
        self._discover()
        return sorted({*self._entries.get_all(), *self.third_party})

    def get(self, name: str) -> T:
        """Return the plug-in called `name`.

        Raises:
            UserError: If there is none, with the nearest name, or if it is third-party and can't be imported.
        """
        self._discover()
        if name not in self._entries and name in self.third_party:
            self._import(self.third_party[name])
        if name not in self._entries:
            self._import_all()  # a module may register more than the name of its entry point
        if name not in self._entries:
            hint = did_you_mean(name, self.names())
            raise UserError(f"unknown {self._singular} '{name}'{hint} (holdfast ls {self.kind} lists all)")
        item: T = self._entries.get(name)
        return item

    def _import(self, entry: "EntryPoint") -> None:
        where = _whose(entry)
        try:
            entry.load()
        except Exception as error:  # a plug-in may fail in any way; the message must say which one it was
            raise UserError(
                f"{where} can't be imported ({type(error).__name__}: {error}): fix or uninstall it"
            ) from error
        if entry.name not in self._entries:
            raise UserError(f"{where} does not register a {self._singular} of that name: use the decorator")

    def _import_all(self) -> None:
        for entry in self.third_party.values():
            try:
                entry.load()
            except Exception:  # asking for its own name says what is wrong with it
                continue

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True  # first, since a module may ask for a name while it is being imported
        try:
            for package in self._packages:
                folder = importlib.import_module(package)
                for module in pkgutil.iter_modules(folder.__path__):
                    if not module.ispkg and module.name != "testing":
                        importlib.import_module(f"{package}.{module.name}")
        except BaseException:
            self._discovered = False
            raise
        for name, entry in self.third_party.items():
            if name in self._entries and (ours := _module_of(self._entries.get(name))).startswith(_OURS):
                warnings.warn(
                    f"{_whose(entry)} is ignored: {ours} is a built-in {self._singular} of the same name", stacklevel=4
                )


def _whose(entry: "EntryPoint") -> str:
    return f"plug-in '{entry.name}' of {entry.dist.name if entry.dist else 'an unknown package'}"


def _module_of(item: object) -> str:
    """The module of the function that `item` is or holds; of its class if it holds none."""
    parts = [getattr(item, each.name) for each in fields(item)] if is_dataclass(item) else [item]
    return str(next((part for part in parts if callable(part)), type(item)).__module__)
