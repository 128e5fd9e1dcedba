"""These run where vLLM is installed and only when they are named (`make test-vllm`): vLLM changes its process' threads
and seeds for good."""

from importlib.util import find_spec
from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked_for = any("tests/vllm" in argument for argument in config.args)
    return None if asked_for and find_spec("vllm") else True
