"""Synonyms come from the embedded table, with or without WordNet on this machine; caches stay out of the user's home."""

import os
import tempfile

import pytest

os.environ["HOLDFAST_THESAURUS"] = "embedded"
os.environ.setdefault("XDG_CACHE_HOME", tempfile.mkdtemp(prefix="holdfast-tests-"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="fuzz every parser for an hour in all")
