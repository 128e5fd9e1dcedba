"""The README and the pages in docs are true: their commands run, their Python runs, their files parse."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from holdfast.harness.cli import main
from holdfast.harness.results.check.budgets import make_budgets
from holdfast.metrics import metrics
from holdfast.metrics.testing import check_metric
from holdfast.perturbations import perturbations
from holdfast.tasks import tasks
from holdfast.training.method import methods

ROOT = Path(__file__).parents[1]
PAGES = (
    *("python.md", "ci.md", "report.md", "data.md", "lm_eval.md", "messy_input.md", "multilingual.md"),
    *("classification.md", "safety.md", "formats.md", "exports.md", "card.md", "summarisation.md", "methods.md"),
)
"""Pages of docs whose blocks run in order, in one session."""

ELSEWHERE = ("make ", "pip ", "holdfast pocket build")
"""Run by .ci/run, by make itself, and in tests/training with a small budget."""


def blocks(*languages: str, page: Path = ROOT / "README.md") -> list[str]:
    """The blocks of a page in these languages, in order."""
    found = re.findall(r"```(\w+)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [content for name, content in found if name in languages]


def commands(block: str) -> list[str]:
    """The commands of a bash block that a test can run."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(ELSEWHERE)]


def run(command: str) -> int:
    """Run one command, as its reader would; its exit status."""
    here = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if "|" in command:
        return subprocess.run(command, shell=True, env=here).returncode
    program, *arguments = shlex.split(command, comments=True)
    if program == "python":
        return subprocess.run([sys.executable, ROOT / arguments[0], *arguments[1:]]).returncode
    assert program == "holdfast", f"no test runs {command!r}"
    return main(arguments)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README's commands run one after another, as their reader would."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copy(ROOT / "demo.yaml", folder)
    return folder


@pytest.fixture(autouse=True)
def _there(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workplace)


def test_every_command_succeeds() -> None:
    for block in blocks("bash"):
        for command in commands(block):
            assert run(command) == 0, command


@pytest.mark.parametrize("page", PAGES)
def test_every_page_runs(page: str) -> None:
    names: dict[str, object] = {"__name__": "page"}
    found = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    assert {language for language, _ in found} <= {"python", "bash", "yaml", "toml", "console"}
    for language, block in found:
        if language in {"yaml", "toml"}:
            assert yaml.safe_load(block) if language == "yaml" else make_budgets(tomllib.loads(block)).primary
            continue
        if language == "python":
            exec(compile(block, page, "exec"), names)
            continue
        for command in commands(block) if language == "bash" else ():
            assert run(command) == 0, command


def test_the_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
    assert "max_drift" in capsys.readouterr().out
    assert "is_short" in metrics.names()
    check_metric("is_short", examples=5)
    assert "shout" in perturbations.names()
    assert tasks.get("night_trains")().samples
    assert methods.get("margin").perturbs


def test_the_entry_points_name_groups_that_holdfast_reads() -> None:
    [shown] = blocks("toml")
    groups = tomllib.loads(shown)["project"]["entry-points"]
    assert {f"holdfast_{registry.kind}" for registry in (metrics, perturbations, tasks, methods)} == groups.keys()


def test_the_example_files_are_what_the_readme_shows() -> None:
    assert {"id", "content", "references"} == json.loads(blocks("json")[0]).keys()
    shown = yaml.safe_load(blocks("yaml")[0])
    assert shown.keys() == yaml.safe_load((ROOT / "examples/capitals.yaml").read_text()).keys()
