"""Fixtures: a run with hostile texts on the fake engine, and its exports."""

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.harness.actions.sharing.exporting import export
from holdfast.harness.backends import Request
from tests.harness.fakes import Fake
from tests.harness.results.report.conftest import RIGHT, run_of, trains

HOSTILE = 'lone \ud800, NUL \0, </script><b> \x1b[31m "quoted"\n\u202e end'
"""What the adapter `new` answers to every prompt about train 3."""

WRITTEN = HOSTILE.replace("\ud800", "\\ud800")
"""The same, as UTF-8 can hold it."""


def _rule(request: Request) -> str:
    if request.adapter == "new" and "number 3 " in request.prompt:
        return HOSTILE
    return RIGHT if request.adapter == "old" else "The train leaves at 11:40."


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two adapters, one of which gives hostile answers."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    return run_of(folder, Fake(rule=_rule), tasks=[trains(6)], perturbations="typos,spacing", severity="light")


@pytest.fixture(scope="session")
def exported(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that exports the run to a format and returns the folder."""

    def written(to: str) -> Path:
        folder = tmp_path_factory.mktemp("exported") / to
        export(hostile, to, output_path=folder)
        return folder

    return written
