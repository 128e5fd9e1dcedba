"""Methods of a third-party package, from `holdfast ls` to a trained and a corrected adapter."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from safetensors.torch import load_file

from holdfast import method
from holdfast.harness.cli import main

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the package as an installer does: its modules, and the metadata with the entry points."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    shutil.copytree(PACKAGE / "holdfast_theirs", site / "holdfast_theirs")
    info = site / f"holdfast_theirs-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = project["entry-points"]["holdfast_methods"]
    lines = ["[holdfast_methods]", *(f"{name} = {module}" for name, module in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site


def run(site: Path, *arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def holdfast(site: Path, *arguments: str, code: int = 0) -> str:
    return run(site, "-m", "holdfast.harness.cli", *arguments, code=code)


def test_ls_and_help_show_plug_ins_with_their_settings(site: Path) -> None:
    listed = holdfast(site, "ls", "methods")
    assert {"margin", "sign_noise", "halve"} <= {line.split()[0] for line in listed.splitlines()}
    shown = holdfast(site, "train", "--help")
    assert "margin=0.1" in shown
    assert "(number >= 0)" in shown
    assert "size=0.001" in shown
    assert "halve" in holdfast(site, "correct", "--help")


def test_train_accepts_a_plug_in_objective_and_noise(site: Path, tmp_path: Path) -> None:
    data = tmp_path / "train.jsonl"
    rows = [{"prompt": f"What is {n} plus {n}?", "completion": f"{2 * n}"} for n in range(1, 9)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["train", "--data", str(data), "--objective", "margin", "--objective_args", "margin=0.5"]
    arguments += ["--noise", "sign_noise", "--max_steps", "2", "--lora", "r=2", "--logging_steps", "1"]
    holdfast(site, *arguments, "--output_path", str(tmp_path / "tuned"))
    card = json.loads((tmp_path / "tuned" / "training_card.json").read_text())
    assert card["recipe"]["objective"] == "margin"
    assert card["methods"] == {"margin": {"margin": 0.5}, "sign_noise": {"size": 0.001}}
    wrong = holdfast(site, *arguments, "--objective_args", "margn=1", "--output_path", str(tmp_path / "no"), code=1)
    assert "margn is not a setting of margin; did you mean 'margin'?" in wrong
    negative = holdfast(site, *arguments, "--noise_args", "size=-1", "--output_path", str(tmp_path / "no"), code=1)
    assert "--noise_args: size must be >= 0, got -1" in negative


def test_correct_accepts_a_plug_in_correction(site: Path, tmp_path: Path) -> None:
    subspace, out = str(tmp_path / "s.safetensors"), tmp_path / "out"
    pair = ["--base", "pocket-base", "--aligned", "pocket-aligned"]
    holdfast(site, "subspace", *pair, "--rank", "4", "--output_path", subspace)
    correct = ["correct", "pocket-steady", "--method", "halve", "--subspace", subspace, "--output_path", str(out)]
    printed = holdfast(site, *correct, "--strength", "1,3")
    assert "halve 1:" in printed
    halved, quartered = (load_file(out / f"strength-{s}" / "adapter_model.safetensors") for s in (1, 3))
    for name, tensor in halved.items():
        if "lora_B" in name:
            assert tensor.allclose(2 * quartered[name])
    card = json.loads((out / "strength-3" / "correction_card.json").read_text())
    assert (card["method"], card["settings"]) == ("halve", {"strength": 3.0})
    assert card["relative_distance"] == pytest.approx(0.75, abs=1e-4)
    assert "--signed is not a setting of halve" in holdfast(site, *correct, "--signed", code=1)


def test_a_broken_plug_in_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @method("broken_objective", "loss")
    def broken_objective(settings: object, context: object) -> object:
        return lambda step: 1 / 0

    @method("broken_noise", "weights")
    def broken_noise(settings: object, context: object) -> object:
        raise KeyError("sigma")

    @method("broken_correction", "adapter")
    def broken_correction(settings: object, modules: object) -> object:
        return lambda module: module.factors

    data, subspace = tmp_path / "train.jsonl", str(tmp_path / "s.safetensors")
    data.write_text('{"prompt": "What is 1 plus 1?", "completion": "2"}\n')
    pair = ["--base", "pocket-base", "--aligned", "pocket-aligned"]
    assert main(["subspace", *pair, "--rank", "2", "--output_path", subspace]) == 0
    train = ["train", "--data", str(data), "--max_steps", "1", "--output_path", str(tmp_path / "out")]
    correct = ["correct", "pocket-steady", "--subspace", subspace, "--output_path", str(tmp_path / "corrected")]
    for command, name, why in (
        ([*train, "--objective"], "broken_objective", "ZeroDivisionError: division by zero"),
        ([*train, "--noise"], "broken_noise", "KeyError: missing 'sigma'"),
        ([*correct, "--method"], "broken_correction", "TypeError: returned Factors for module"),
    ):
        capsys.readouterr()
        assert main([*command, name]) == 1
        said, kind = capsys.readouterr().err, name.removeprefix("broken_")  # a progress bar may share the line
        assert f"holdfast: {kind} '{name}' of {__name__} failed ({why}" in said
        assert f"holdfast.training.testing.check_{kind} tests it" in said
        assert "Traceback" not in said
    assert not (tmp_path / "corrected").exists()


def test_plug_ins_pass_the_conformance_checks(site: Path) -> None:
    code = (
        "from holdfast.training.testing import check_correction, check_noise, check_objective; "
        "check_objective('margin'); check_noise('sign_noise'); check_correction('halve')"
    )
    run(site, "-c", code)
