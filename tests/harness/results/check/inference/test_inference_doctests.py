"""The examples in the docstrings of the check's statistics are right."""

import doctest
import importlib
import pkgutil

import pytest

from holdfast.harness.results.check import inference


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.iter_modules(inference.__path__, f"{inference.__name__}.")]
)
def test_docstring_examples_pass(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
