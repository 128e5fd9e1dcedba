"""The layers of the house: every import points down, between the top folders and inside `harness`."""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "core": "holdfast",
    **{name: f"holdfast.{name}" for name in ("harness", "training", "tasks", "perturbations", "metrics")},
}
LAYERS = (
    ("holdfast",),
    ("holdfast.harness.cli",),
    ("holdfast.harness.verbs",),
    ("holdfast.harness", "holdfast.harness.actions"),
    ("holdfast.harness.evaluation",),
    ("holdfast.harness.results", "holdfast.harness.execute"),
    ("holdfast.harness.plan",),
    ("holdfast.harness.store",),
    ("holdfast.harness.backends",),
    ("holdfast.harness.models",),
    ("holdfast.training",),
    ("holdfast.tasks", "holdfast.perturbations", "holdfast.metrics"),
    ("holdfast.language",),
    ("holdfast.*",),
)
"""From the top down: the public door opens on everything, and nothing imports it. Rooms of one layer don't import each
other; within a room, modules may. `holdfast.*` are the modules beside the door: errors, registry, ..."""
RANKS = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
FILES = {
    ".".join([package, *path.relative_to(ROOT / folder).with_suffix("").parts]).removesuffix(".__init__"): path
    for folder, package in FOLDERS.items()
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def room_of(module: str) -> str:
    """The longest prefix of a module's name that is a room."""
    parts = module.split(".")
    found = next(room for i in range(len(parts), 0, -1) if (room := ".".join(parts[:i])) in RANKS)
    return "holdfast.*" if found == "holdfast" != module else found


def imports(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else str(node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_ours(module: str) -> bool:
    return module.split(".")[0] == "holdfast"


@pytest.mark.parametrize("room", RANKS)
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    modules = [module for module in FILES if room_of(module) == room]
    assert modules, f"{room} holds no module: remove it from LAYERS"
    for module in modules:
        for name in filter(is_ours, imports(FILES[module])):
            target = room_of(name)
            assert target == room or RANKS[target] > RANKS[room], (
                f"{module} imports {name}, which does not lie below it"
            )


def test_no_imports_run_in_a_circle() -> None:
    graph = {module: {name for name in imports(path) if name in FILES} - {module} for module, path in FILES.items()}
    assert len([*TopologicalSorter(graph).static_order()]) == len(FILES)


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.name for path in FILES.values())
    alike = {name for name, count in names.items() if count > 1} - {"__init__.py", "testing.py"}
    assert not alike, "files of one name that mean different things"


@pytest.mark.parametrize("folder", [*FOLDERS, "tests", "benchmarks", "docs", "results"])
def test_folders_and_files_stay_small(folder: str) -> None:
    for path in [ROOT / folder, *(each for each in (ROOT / folder).rglob("*") if each.is_dir())]:
        modules = [*path.glob("*.py")]
        assert len(modules) <= 22, f"{path.relative_to(ROOT)} holds {len(modules)} modules"
        for module in modules:
            lines = len(module.read_text("utf-8").splitlines())
            assert lines <= 400, f"{module.relative_to(ROOT)} has {lines} lines"
