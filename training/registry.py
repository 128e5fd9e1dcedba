"""The registry of methods: ways to make or mend an adapter."""

from collections.abc import Callable
from typing import Any

from holdfast.registry import Registry

methods: Registry[Callable[..., Any]] = Registry("methods", "holdfast.training")
