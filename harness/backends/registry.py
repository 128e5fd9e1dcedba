"""The registry of backends: a builder, and a check of its arguments that loads nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from holdfast.harness.backends.types import Adapter, Backend, BackendOptions
from holdfast.registry import Registry

Build = Callable[[BackendOptions, Sequence[Adapter]], Backend]
Check = Callable[[Mapping[str, Any]], None]
Find = Callable[[Mapping[str, Any], Sequence[str]], tuple[Adapter, list[Adapter]]]


def find_files(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """The base and the adapters as directories: what `pretrained` and `--adapters` name."""
    from holdfast.harness.checkpoints import find_adapters, find_base  # which needs this package's types

    base = find_base(str(model_args.get("pretrained", "")))
    return base, find_adapters(adapters, base)


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """A registered backend: `build(options, adapters)` loads it, `check(model_args)` raises UserError beforehand, and
    `find(model_args, adapters)` tells what the base is and what `--adapters` names. A run may be resumed with other
    model arguments where they are `incidental_args`, and other settings where they are `incidental`: no answer depends
    on them."""

    name: str
    build: Build
    check: Check
    find: Find = find_files
    incidental_args: tuple[str, ...] = ()
    incidental: tuple[str, ...] = ()


backends: Registry[BackendEntry] = Registry("backends", "holdfast.harness.backends")

B = TypeVar("B", bound=Build)


def backend(
    name: str,
    check: Check,
    find: Find = find_files,
    *,
    incidental_args: tuple[str, ...] = (),
    incidental: tuple[str, ...] = (),
) -> Callable[[B], B]:
    """Register a builder under `name`; its docstring's first line is what `holdfast ls backends` shows."""

    def register(build: B) -> B:
        backends.register(name, BackendEntry(name, build, check, find, incidental_args, incidental))
        return build

    return register
