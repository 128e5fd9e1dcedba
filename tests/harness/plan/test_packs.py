"""Packs: written once, the same on every machine, and run unchanged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.cli import main
from holdfast.harness.plan.packs import MANIFEST, VARIANTS, write_pack
from holdfast.harness.store.config import make_config
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.jsonl"
    lines = [{"id": str(i), "content": f"Who bought the old house by the river in {1900 + i}?\u2028"} for i in range(4)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.fixture
def pack(tmp_path: Path, prompts: Path) -> Path:
    folder = tmp_path / "pack"
    options = ["--perturbations", "typos,typos+emoji@heavy", "--repeats", "2", "--seed", "3"]
    assert main(["perturb", "--tasks", str(prompts), *options, "--out", str(folder)]) == 0
    return folder


def test_a_pack_holds_every_variant_and_can_be_verified(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in (pack / VARIANTS).read_text("utf-8").split("\n")[:-1]]
    assert len(lines) == 4 * (2 + 1) * 2
    assert {(line["perturbation"], line["severity"]) for line in lines} == {
        ("typos", "light"),
        ("typos", "heavy"),
        ("typos+emoji", "heavy"),
    }
    capsys.readouterr()
    assert main(["perturb", "verify", str(pack)]) == 0
    assert "the same 24 variants, byte for byte" in capsys.readouterr().out


def test_a_run_uses_the_pack_s_variants_and_records_its_digest(pack: Path, prompts: Path, run: Evaluate) -> None:
    fake = Fake()
    results = run(fake, pack=pack, tasks=[str(prompts)], perturbations=None, adapters="base")
    packed = {json.loads(line)["text"] for line in (pack / VARIANTS).read_text("utf-8").split("\n")[:-1]}
    clean = {json.loads(line)["content"] for line in prompts.read_text().splitlines()}
    assert {request.prompt for request in fake.asked} == packed | clean
    digest = json.loads((pack / MANIFEST).read_text())["sha256"]
    assert list(results.leaderboard["variants"]) == [digest]
    assert json.loads((results.path / "run.json").read_text())["variants"] == digest


def test_a_run_without_a_pack_records_the_same_digest(pack: Path, prompts: Path, run: Evaluate) -> None:
    settings = {"perturbations": "typos,typos+emoji@heavy", "repeats": 2, "seed": 3, "tasks": [str(prompts)]}
    results = run(Fake(), **settings)
    assert set(results.leaderboard["variants"]) == {json.loads((pack / MANIFEST).read_text())["sha256"]}


def test_the_settings_of_a_pack_cannot_be_changed(pack: Path, prompts: Path, run: Evaluate) -> None:
    with pytest.raises(UserError, match=r"--seed 4 differs from the pack .*, made with 3: omit --seed"):
        run(Fake(), pack=pack, tasks=[str(prompts)], perturbations=None, seed=4)


def test_a_changed_pack_is_refused(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = pack / VARIANTS
    file.write_bytes(file.read_bytes().replace(b"house", b"horse"))
    assert main(["perturb", "verify", str(pack)]) == 1
    assert "it was changed after the pack was made" in capsys.readouterr().err


def test_the_first_different_variant_and_versions_are_named(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((pack / MANIFEST).read_text())
    manifest["settings"]["seed"], manifest["versions"]["regex"] = 5, "1999.1"
    (pack / MANIFEST).write_text(json.dumps(manifest))
    assert main(["perturb", "verify", str(pack)]) == 1
    assert "line 1: this machine makes a different variant (regex 1999.1, here " in capsys.readouterr().err


def test_different_data_for_a_task_is_refused(pack: Path, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts.write_text(prompts.read_text().replace("river", "lake"))
    assert main(["perturb", "verify", str(pack)]) == 1
    assert "was made from different data for task 'prompts'" in capsys.readouterr().err


def test_a_pack_can_be_verified_if_task_files_have_moved(
    pack: Path, prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = tmp_path / "elsewhere" / "prompts.jsonl"
    moved.parent.mkdir()
    prompts.rename(moved)
    assert main(["perturb", "verify", str(pack)]) == 1
    assert main(["perturb", "verify", str(pack), "--tasks", str(moved)]) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is not a pack: it has no pack.json"), ("{", "was edited"), ("{}", r"was edited .*\(settings\)")],
)
def test_a_missing_or_broken_pack_is_named(tmp_path: Path, run: Evaluate, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(UserError, match=message):
        run(Fake(), pack=tmp_path, perturbations=None)


def test_a_pack_is_never_overwritten(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perturb", "--tasks", "factual_qa", "--out", str(pack)]) == 1
    assert "already has a pack" in capsys.readouterr().err


def test_invalid_settings_create_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown severity 'heavier'"):
        write_pack(make_config({"severity": "heavier"}), [], tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
