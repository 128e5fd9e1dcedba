"""The house's law: harness imports the other four, training the three below it, and those neither each other nor up."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "harness": {"harness", "training", "tasks", "perturbations", "metrics"},
    "training": {"training", "tasks", "perturbations", "metrics"},
    "tasks": {"tasks"},
    "perturbations": {"perturbations"},
    "metrics": {"metrics"},
    "core": set(),
}
FOLDERS = set(ALLOWED) - {"core"}


def imported(path: Path) -> set[str]:
    """The folders that a module imports from, wherever in it the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {parts[1] for parts in (name.split(".") for name in names) if parts[0] == "holdfast" and len(parts) > 1}


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        forbidden = (imported(path) & FOLDERS) - ALLOWED[folder]
        assert not forbidden, f"{path.relative_to(ROOT)} imports {', '.join(sorted(forbidden))}"
