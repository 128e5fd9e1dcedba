"""The registry of backends: a builder, and a check of its arguments that loads nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from holdfast.harness.backends.types import Adapter, Backend, BackendOptions
from holdfast.registry import Registry

Build = Callable[[BackendOptions, Sequence[Adapter]], Backend]
Check = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """A registered backend: `build(options, adapters)` loads it, `check(model_args)` raises UserError beforehand."""

    name: str
    build: Build
    check: Check


backends: Registry[BackendEntry] = Registry("backends", "holdfast.harness.backends")

B = TypeVar("B", bound=Build)


def backend(name: str, check: Check) -> Callable[[B], B]:
    """Register a builder under `name`; its docstring's first line is what `holdfast ls backends` shows."""

    def register(build: B) -> B:
        backends.register(name, BackendEntry(name, build, check))
        return build

    return register
