"""The README is true: its commands run, its Python runs, its files parse."""

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
from holdfast.metrics import metrics
from holdfast.metrics.testing import check_metric
from holdfast.perturbations import perturbations
from holdfast.tasks import tasks

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)

ELSEWHERE = ("make ", "pip ", "holdfast pocket build")
"""Run by .ci/run, by make itself, and in tests/training with a small budget."""


def blocks(language: str) -> list[str]:
    return [content for name, content in BLOCKS if name == language]


def commands() -> list[str]:
    lines = "\n".join(blocks("bash")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(ELSEWHERE)]


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


def test_every_command_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    here = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in commands():
        if "|" in command:
            subprocess.run(command, shell=True, check=True, env=here)
            continue
        program, *arguments = shlex.split(command, comments=True)
        if program == "python":
            subprocess.run([sys.executable, ROOT / arguments[0], *arguments[1:]], check=True)
            continue
        assert program == "holdfast", f"no test runs {command!r}"
        assert main(arguments) == 0, f"{command}\n{capsys.readouterr().err}"


def test_the_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
    assert "max_drift" in capsys.readouterr().out
    assert "is_short" in metrics.names()
    check_metric("is_short", examples=5)
    assert "shout" in perturbations.names()
    assert tasks.get("night_trains")().samples


def test_the_entry_points_name_groups_that_holdfast_reads() -> None:
    [shown] = blocks("toml")
    groups = tomllib.loads(shown)["project"]["entry-points"]
    assert {f"holdfast_{registry.kind}" for registry in (metrics, perturbations, tasks)} == groups.keys()


def test_the_example_files_are_what_the_readme_shows() -> None:
    assert {"id", "content", "references"} == json.loads(blocks("json")[0]).keys()
    shown = yaml.safe_load(blocks("yaml")[0])
    assert shown.keys() == yaml.safe_load((ROOT / "examples/capitals.yaml").read_text()).keys()
