"""Collect these tests only if vLLM is installed and they are named (`make test-vllm`), because vLLM permanently changes
the threads and seeds of its process."""

from importlib.util import find_spec
from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked_for = any("tests/vllm" in argument for argument in config.args)
    return None if asked_for and find_spec("vllm") else True
