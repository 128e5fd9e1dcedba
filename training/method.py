"""The registry of methods: ways to make or mend an adapter."""

from dataclasses import dataclass
from typing import Literal

from holdfast.registry import Registry


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its name, whether it acts on the loss, on the weights during a step, or on the finished adapter, and
    what it does in one line."""

    name: str
    place: Literal["loss", "weights", "adapter"]
    summary: str


methods: Registry[Method] = Registry("methods", "holdfast.training")
