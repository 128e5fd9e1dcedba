"""What a metric is, the registry of metrics, and the two decorators that fill it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from holdfast.registry import Registry

if TYPE_CHECKING:
    import numpy as np

Scores = dict[str, float]
"""The scores of one sample or one pair. A key that does not apply to it is left out; no value is ever NaN."""

Metadata = Mapping[str, Any]
SampleCompute = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[Metadata]], list[Scores]]
"""(outputs, references, metadata) -> one dict of floats per sample."""

PairCompute = Callable[..., list[Scores]]
"""(clean outputs, perturbed outputs) -> one dict of floats per pair; `encode=` too where the metric asks for it."""

Encode = Callable[[Sequence[str]], "np.ndarray[Any, np.dtype[np.float32]]"]
"""n texts -> array (n, d), float32, rows of length one (zero rows for texts without content)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric: its function, and for each key it returns whether higher is better."""

    name: str
    kind: Literal["sample", "pair"]
    compute: SampleCompute | PairCompute
    higher_is_better: Mapping[str, bool]
    unbounded: frozenset[str] = frozenset()
    """Keys whose values may exceed 1 (counts, lengths); all others lie in [0, 1]."""
    needs_encoder: bool = False

    @property
    def headline(self) -> str:
        """The key that stands for the metric in a table: its first."""
        return next(iter(self.higher_is_better))


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
