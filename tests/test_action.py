"""The GitHub action and the pre-commit hook: their steps run here as they would there."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.harness.cli import main
from tests.harness.conftest import run, task  # noqa: F401 (fixtures)
from tests.harness.results.check.conftest import pairs_of  # noqa: F401 (fixture)

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
MakeRun = Callable[..., str]


class Runner:
    """Runs the steps of the action; `gh` is a script that keeps what it is asked."""

    def __init__(self, folder: Path, existing_comment: str = "") -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        (tools / "gh").write_text(
            f'#!/bin/bash\nprintf "%s\\n" "$*" >> {folder}/gh\n'
            f'case "$*" in *--paginate*) echo "{existing_comment}";; esac\n'
        )
        (tools / "gh").chmod(0o755)
        (folder / "output").touch()
        (folder / "summary").touch()
        path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | {
            "PATH": path,
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        }

    def step(self, name: str, **values: str) -> int:
        """Run a step with the values of its expressions; returns its exit status."""
        [step] = [each for each in ACTION["runs"]["steps"] if each["name"] == name]
        assert "${{" not in step["run"]  # an expression in a script would run what a pull request wrote
        given = {key: self._value(text, values) for key, text in step.get("env", {}).items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(command, env=self.environment | given, capture_output=True).returncode

    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @staticmethod
    def _value(text: str, values: dict[str, Any]) -> str:
        [expression] = re.findall(r"\${{ (.*?) }}", text)
        name = expression.split(".")[-1]
        default = ACTION["inputs"].get(name, {}).get("default", "")
        return values.get(name, default)


def test_a_failing_candidate_fails_the_job(pairs_of: MakeRun, tmp_path: Path) -> None:  # noqa: F811
    made = pairs_of(60, old=0.0, new=0.5)
    (tmp_path / "job").mkdir()
    runner = Runner(tmp_path / "job")
    checked = runner.step(
        "Check the candidate", baseline=f"{made}:old", candidate=f"{made}:new", arguments="--undecided=fail\n\n"
    )
    assert checked == 0
    assert runner.outputs() == {"status": "1", "verdict": "FAIL"}
    assert "> **FAIL" in (runner.folder / "summary").read_text()
    assert runner.step("Report the verdict", status="1") == 1


def test_a_mistake_has_its_own_status(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    assert runner.step("Check the candidate", baseline="nowhere/a", candidate="nowhere/b; touch x") == 0
    assert runner.outputs() == {"status": "2"}
    assert not Path("x").exists()


@pytest.mark.parametrize(("existing", "method"), [("", "POST"), ("4711", "PATCH")])
def test_one_comment_is_kept_up_to_date(existing: str, method: str, tmp_path: Path) -> None:
    runner = Runner(tmp_path, existing)
    assert runner.step("Comment on the pull request", repository="a/b", number="7", token="t") == 0
    asked = (tmp_path / "gh").read_text().splitlines()[-1]
    assert f"--method {method}" in asked
    assert ("repos/a/b/issues/comments/4711" in asked) == bool(existing)


def test_the_hook_runs_the_check(pairs_of: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    made = pairs_of(60, adapters="old=base,new=base")
    program, *arguments = shlex.split(hook["entry"])
    assert program == "holdfast"
    assert main([*arguments, "--baseline", f"{made}:old", "--candidate", f"{made}:new"]) == 0
    assert "PASS" in capsys.readouterr().out
