"""The doctests of the metrics pass."""

import doctest
import importlib
import pkgutil

import pytest

import holdfast.metrics


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.walk_packages(holdfast.metrics.__path__, "holdfast.metrics.")]
)
def test_docstring_examples_pass(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
