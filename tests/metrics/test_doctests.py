"""The examples in the docstrings of the metrics are true."""

import doctest
import importlib
import pkgutil

import pytest

import holdfast.metrics


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(holdfast.metrics.__path__)])
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"holdfast.metrics.{name}")).failed == 0
