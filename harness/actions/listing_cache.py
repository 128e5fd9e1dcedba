"""Keeps the list of built-ins between calls of `holdfast ls`, since making it imports every module that registers one.

The list is made anew when any of our modules, or anything installed on `sys.path`, has changed. It is not kept where
other packages register plug-ins, whose modules may change unseen.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from holdfast.version import __version__

Listing = dict[str, dict[str, str]]
_PACKAGES = ("harness", "tasks", "perturbations", "metrics", "training")


def cached(make: Callable[[], tuple[Listing, bool]]) -> Listing:
    """Return the kept list, or what `make` returns: a list, and whether plug-ins of other packages are in it."""
    file = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast" / "listing.json"
    stamp = _stamp()
    try:
        kept = json.loads(file.read_text("utf-8"))
        if kept["stamp"] == stamp:
            listing: Listing = kept["listing"]
            return listing
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # there is none, or it is damaged: make it
    listing, has_third_party = make()
    if not has_third_party:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps({"stamp": stamp, "listing": listing}), "utf-8")
            temporary.replace(file)
        except OSError:
            pass  # a read-only home: the list is made each time
    return listing


def _stamp() -> list[list[object]]:
    """What the list depends on: versions, the folders that packages are installed in, and our modules."""
    found: list[list[object]] = [[__version__, sys.version]]
    found += [[folder, os.stat(folder).st_mtime_ns] for folder in sys.path if os.path.isdir(folder)]
    for package in _PACKAGES:
        spec = find_spec(f"holdfast.{package}")
        for folder in (spec and spec.submodule_search_locations) or ():
            found += sorted(_modules(folder))
    return found


def _modules(folder: str) -> Iterator[list[object]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _modules(entry.path)
            elif entry.name.endswith(".py"):
                yield [entry.path, entry.stat().st_mtime_ns]
