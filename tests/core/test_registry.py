"""Third-party plug-ins: found by entry point, registered by the same decorator, and blamed by name when broken."""

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from holdfast.errors import UserError
from holdfast.harness.cli import main
from holdfast.metrics import Metric
from holdfast.perturbations import Edits, perturbation, perturbations
from holdfast.registry import Registry

PLUGIN = """
from holdfast.registry import Registry
from tests.core.test_registry import shelf

shelf.register("tiny", "the tiny thing")
tiny = None
"""

shelf: Registry[str] = Registry("shelves", "tests.core")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with three entry points: one good, one whose module is missing, one that registers nothing."""
    info = tmp_path / "plugdemo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugdemo\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[holdfast_shelves]\ntiny = plugdemo:tiny\nbroken = plugdemo_missing:x\nsilent = plugdemo:tiny\n"
        "[holdfast_metrics]\nlost = plugdemo_missing:lost\n[holdfast_perturbations]\ntypos = plugdemo:typos\n"
    )
    (tmp_path / "plugdemo.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    shelf.__dict__.pop("_third_party", None)
    return tmp_path


def test_a_plug_in_is_listed_without_being_imported_and_loaded_when_asked_for(installed: Path) -> None:
    assert {"tiny", "broken", "silent"} <= set(shelf.names())
    assert "plugdemo" not in sys.modules
    assert shelf.get("tiny") == "the tiny thing"


def test_a_broken_plug_in_is_blamed_by_name(installed: Path) -> None:
    with pytest.raises(UserError, match="plug-in 'broken' of plugdemo can't be imported .*mend or uninstall it"):
        shelf.get("broken")
    with pytest.raises(UserError, match="plug-in 'silent' of plugdemo registers no shelve of that name"):
        shelf.get("silent")


def test_a_broken_plug_in_does_not_break_the_list(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from holdfast.metrics import metrics

    monkeypatch.delitem(metrics.__dict__, "_third_party", raising=False)
    try:
        assert main(["ls", "metrics"]) == 0
    finally:
        metrics.__dict__.pop("_third_party", None)
    printed = capsys.readouterr().out
    assert "exact_match" in printed
    assert "plug-in 'lost' of plugdemo can't be imported" in printed
    assert isinstance(metrics.get("exact_match"), Metric)


def test_a_plug_in_of_a_built_in_s_name_is_said_to_be_passed_over(installed: Path) -> None:
    said = (
        r"plug-in 'typos' of plugdemo is not used: holdfast has a perturbation of that name \(holdfast\.perturbations"
    )
    with pytest.warns(UserWarning, match=said):
        assert Registry[object]("perturbations", "holdfast.perturbations").get("typos") is perturbations.get("typos")


def test_of_two_packages_plug_ins_of_one_name_one_is_said_to_be_passed_over(installed: Path) -> None:
    other = installed / "plugother-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: plugother\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[holdfast_shelves]\ntiny = plugother:tiny\n")
    with pytest.warns(
        UserWarning,
        match="plug-in 'tiny' of plug(demo|other) is not used: plug-in 'tiny' of plug(demo|other) has that name",
    ):
        assert "tiny" in shelf.names()


def test_a_built_in_is_not_replaced() -> None:
    before = perturbations.get("typos")
    with pytest.raises(
        UserError, match=r"'typos' already, of holdfast\.perturbations\.\w+: give that of tests\.core\."
    ):
        perturbation("typos", family="characters", light=0.1, heavy=0.5, units=None)(nothing)
    assert perturbations.get("typos") is before


def test_a_module_may_register_its_own_again() -> None:
    shelf.register("again", "first")
    shelf.register("again", "second")
    assert shelf.get("again") == "second"


def nothing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text)
