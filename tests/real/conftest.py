"""Collect these tests only if they are named (`make test-real`), because they need a real checkpoint and minutes."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return None if any("tests/real" in argument for argument in config.args) else True
