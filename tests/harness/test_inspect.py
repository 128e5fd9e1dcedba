"""`holdfast inspect`."""

import json
from pathlib import Path

import pytest

from holdfast.harness.cli import main


def test_an_adapter_is_shown_module_by_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "pocket-steady", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    squares = sum(each["norm"] ** 2 for each in found["modules"].values())
    assert found["total"]["norm"] == pytest.approx(squares**0.5)
    assert all(0 < each["effective_rank"] <= each["rank"] for each in found["modules"].values())
    assert main(["inspect", "pocket-steady"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("total")


def test_what_is_no_adapter_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path)]) == 1
    assert "it has no adapter_config.json" in capsys.readouterr().err
