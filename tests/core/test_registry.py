"""Third-party plug-ins are found by entry point, registered by the decorator and named in errors if broken."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from random import Random

import catalogue
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


def rescan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for entry points again, which catalogue does only once per process."""
    monkeypatch.setattr(catalogue, "AVAILABLE_ENTRY_POINTS", entry_points())
    shelf.__dict__.pop("third_party", None)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package whose entry points work, name a missing module, or register nothing."""
    info = tmp_path / "plugdemo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugdemo\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[holdfast_shelves]\ntiny = plugdemo:tiny\nbroken = plugdemo_missing:x\nsilent = plugdemo:tiny\n"
        "[holdfast_metrics]\nlost = plugdemo_missing:lost\n[holdfast_perturbations]\ntypos = plugdemo:typos\n"
    )
    (tmp_path / "plugdemo.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    rescan(monkeypatch)
    return tmp_path


def test_a_plug_in_is_listed_without_being_imported(installed: Path) -> None:
    assert {"tiny", "broken", "silent"} <= set(shelf.names())
    assert "plugdemo" not in sys.modules
    assert shelf.get("tiny") == "the tiny thing"


def test_a_broken_plug_in_is_named_in_the_error(installed: Path) -> None:
    with pytest.raises(UserError, match="plug-in 'broken' of plugdemo can't be imported .*fix or uninstall it"):
        shelf.get("broken")
    with pytest.raises(UserError, match="plug-in 'silent' of plugdemo does not register a shelve of that name"):
        shelf.get("silent")


def test_a_broken_plug_in_does_not_break_the_list(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from holdfast.metrics import metrics

    monkeypatch.delitem(metrics.__dict__, "third_party", raising=False)
    try:
        assert main(["ls", "metrics"]) == 0
    finally:
        metrics.__dict__.pop("third_party", None)
    printed = capsys.readouterr().out
    assert "exact_match" in printed
    assert "plug-in 'lost' of plugdemo can't be imported" in printed
    assert isinstance(metrics.get("exact_match"), Metric)


def test_a_plug_in_with_a_built_in_name_is_ignored_with_a_warning(installed: Path) -> None:
    message = r"plug-in 'typos' of plugdemo is ignored: holdfast\.perturbations\S+ is a built-in perturbation of the same name"
    with pytest.warns(UserWarning, match=message):
        assert Registry[object]("perturbations", "holdfast.perturbations.families").get("typos") is perturbations.get(
            "typos"
        )


def test_a_second_plug_in_of_the_same_name_is_ignored(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = installed / "plugother-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: plugother\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[holdfast_shelves]\ntiny = plugother:tiny\n")
    rescan(monkeypatch)
    with pytest.warns(
        UserWarning,
        match="plug-in 'tiny' of plug(demo|other) is ignored: plug-in 'tiny' of plug(demo|other) has the same name",
    ):
        assert "tiny" in shelf.names()


def test_a_built_in_cannot_be_replaced() -> None:
    before = perturbations.get("typos")
    with pytest.raises(
        UserError,
        match=r"'typos' is already registered by holdfast\.perturbations\.\S+: rename the one in tests\.core\.",
    ):
        perturbation("typos", family="characters", light=0.1, heavy=0.5, units=None)(nothing)
    assert perturbations.get("typos") is before


def test_a_module_may_register_a_name_again() -> None:
    shelf.register("again", "first")
    shelf.register("again", "second")
    assert shelf.get("again") == "second"


def nothing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text)
