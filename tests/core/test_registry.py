"""Third-party plug-ins: found by entry point, registered by the same decorator, and blamed by name when broken."""

import sys
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.harness.cli import main
from holdfast.metrics import Metric
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
        "[holdfast_metrics]\nlost = plugdemo_missing:lost\n"
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
