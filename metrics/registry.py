"""The registry of metrics and the two decorators that fill it."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from holdfast.metrics.types import Metric, PairCompute, SampleCompute
from holdfast.registry import Registry

metrics: Registry[Metric] = Registry("metrics", "holdfast.metrics")

S = TypeVar("S", bound=SampleCompute)
P = TypeVar("P", bound=PairCompute)


def sample_metric(
    name: str, higher_is_better: Mapping[str, bool], *, unbounded: frozenset[str] = frozenset()
) -> Callable[[S], S]:
    """Register a function `(outputs, references, metadata) -> one dict per sample`."""

    def register(compute: S) -> S:
        metrics.register(name, Metric(name, "sample", compute, dict(higher_is_better), unbounded))
        return compute

    return register


def pair_metric(name: str, higher_is_better: Mapping[str, bool], *, needs_encoder: bool = False) -> Callable[[P], P]:
    """Register a function `(clean outputs, perturbed outputs) -> one dict per pair`.

    With `needs_encoder` the caller hands in a sentence encoder as the keyword `encode`.
    """

    def register(compute: P) -> P:
        metrics.register(name, Metric(name, "pair", compute, dict(higher_is_better), needs_encoder=needs_encoder))
        return compute

    return register
