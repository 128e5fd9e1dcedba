"""The registry of backends: a backend is a builder `(options, adapters) -> Backend`."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from holdfast.harness.backends.types import Adapter, Backend, BackendOptions
from holdfast.registry import Registry

Build = Callable[[BackendOptions, Sequence[Adapter]], Backend]
B = TypeVar("B", bound=Build)

backends: Registry[Build] = Registry("backends", "holdfast.harness.backends")


def backend(name: str) -> Callable[[B], B]:
    """Register a builder under `name`; its docstring's first line is what `holdfast ls backends` shows."""

    def register(build: B) -> B:
        backends.register(name, build)
        return build

    return register
