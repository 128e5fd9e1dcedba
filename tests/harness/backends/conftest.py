"""A local server with a key, for the tests of the api backend."""

from collections.abc import Iterator

import pytest

from holdfast.harness.backends.engines import api_engine
from tests.harness.backends import servers


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Served]:
    """A running server; requests are sent again almost at once."""
    monkeypatch.setenv("OPENAI_API_KEY", servers.KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", servers.KEY)
    monkeypatch.setattr(api_engine, "FIRST_DELAY", 0.01)
    with servers.server() as running:
        yield running
