"""What a metric is: a function over a batch of texts, and what its numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
