"""The metric interface, the registry of metrics, and the decorators that register one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from holdfast.registry import Registry

if TYPE_CHECKING:
    import numpy as np

Scores = dict[str, float]
"""The scores of one sample or pair. A key that does not apply is left out; values are never NaN."""

Metadata = Mapping[str, Any]

CONTENT = "content"
"""The key of the metadata with the sample's content, which is the clean one for answers to perturbed prompts too."""

SampleCompute = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[Metadata]], list[Scores]]
"""(outputs, references, metadata) -> one dict of floats per sample."""

PairCompute = Callable[..., list[Scores]]
"""(clean outputs, perturbed outputs) -> one dict of floats per pair; takes `encode=` if the metric needs an encoder."""

Encode = Callable[[Sequence[str]], "np.ndarray[Any, np.dtype[np.float32]]"]
"""n texts -> array (n, d), float32, with unit-length rows (zero rows for texts without content)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric: its function and, for each key that it returns, whether higher is better."""

    name: str
    kind: Literal["sample", "pair"]
    compute: SampleCompute | PairCompute
    higher_is_better: Mapping[str, bool]
    unbounded: frozenset[str] = frozenset()
    """Keys whose values may exceed 1 (counts, lengths); all other values lie in [0, 1]."""
    needs_encoder: bool = False
    output_only: bool = False
    """Whether a sample metric reads the output alone, and neither references nor metadata."""
    given: str = ""
    """The key that is 0 where the output has nothing that the metric could judge, such as a label."""

    @property
    def headline(self) -> str:
        """The key that represents the metric in a table: the first."""
        return next(iter(self.higher_is_better))


metrics: Registry[Metric] = Registry("metrics", "holdfast.metrics.scores")

S = TypeVar("S", bound=SampleCompute)
P = TypeVar("P", bound=PairCompute)


def sample_metric(
    name: str,
    higher_is_better: Mapping[str, bool],
    *,
    unbounded: frozenset[str] = frozenset(),
    output_only: bool = False,
    given: str = "",
) -> Callable[[S], S]:
    """Register a function `(outputs, references, metadata) -> one dict of scores per sample`.

    A metric that compares the output with references returns an empty dict for a sample that has none.

    Args:
        name: The name under which users select the metric.
        higher_is_better: Every key that the function may return, and whether higher values are better.
        unbounded: The keys whose values may exceed 1.
        output_only: Whether the function reads the outputs alone, so that its scores say nothing of right and wrong.
        given: The key, if there is one, that is 0 where an output has nothing that the metric could judge.

    Returns:
        A decorator that returns the function unchanged.
    """

    def register(compute: S) -> S:
        directions = dict(higher_is_better)
        entry = Metric(name, "sample", compute, directions, unbounded, output_only=output_only, given=given)
        metrics.register(name, entry)
        return compute

    return register


def pair_metric(name: str, higher_is_better: Mapping[str, bool], *, needs_encoder: bool = False) -> Callable[[P], P]:
    """Register a function `(clean outputs, perturbed outputs) -> one dict of scores per pair`.

    Args:
        name: The name under which users select the metric.
        higher_is_better: Every key that the function may return, and whether higher values are better.
        needs_encoder: Whether to pass a sentence encoder as the keyword argument `encode`.

    Returns:
        A decorator that returns the function unchanged.
    """

    def register(compute: P) -> P:
        metrics.register(name, Metric(name, "pair", compute, dict(higher_is_better), needs_encoder=needs_encoder))
        return compute

    return register
