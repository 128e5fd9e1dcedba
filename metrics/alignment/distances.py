"""Encoder distances between texts, between two answers' segments, and between groups of segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from holdfast.metrics.metric import Encode

if TYPE_CHECKING:
    import numpy as np

    from holdfast.metrics.alignment.aligning import Group

    Array = np.ndarray[Any, np.dtype[np.float64]]


class Distances:
    """Distances in [0, 1] between texts: 1 - cos, clipped, raised to `power`.

    All texts are encoded in one call, each distinct text once.

    Args:
        texts: Every text that will be compared.
        encode: The encoder.
        power: The exponent applied to each distance.

    >>> from holdfast.metrics.encoders.encoder import load_encoder
    >>> distances = Distances(["so", "so be it", "no"], load_encoder("lexical"))
    >>> distances.between(["so", "no"], ["so"]).round(1).tolist()
    [[0.0], [0.8]]
    """

    def __init__(self, texts: Iterable[str], encode: Encode, power: float = 1.0) -> None:
        distinct = list(dict.fromkeys(texts))
        self._rows = {text: row for row, text in enumerate(distinct)}
        self._vectors = encode(distinct)
        self._power = power

    def of(self, one: str, other: str) -> float:
        """Return the distance between two texts."""
        return self._of(*self._stacked([one, other]))

    def between(self, ours: Sequence[str], theirs: Sequence[str]) -> Array:
        """Return the distances between m and n texts (m, n), exactly 0 for identical texts."""
        distances = 1.0 - self._stacked(ours) @ self._stacked(theirs).T
        distances = distances.clip(0.0, 1.0, out=distances)
        places: dict[str, list[int]] = {}
        for j, text in enumerate(theirs):
            places.setdefault(text, []).append(j)
        for i, text in enumerate(ours):
            for j in places.get(text, ()):
                distances[i, j] = 0.0
        if self._power != 1.0:
            distances **= self._power
        return distances

    def joint(self, ours: Sequence[str], a: Array, theirs: Sequence[str], b: Array) -> Callable[[Group, Group], float]:
        """Return a function that computes the distance between two groups of texts.

        Each group is represented by the mean of its vectors, weighted by mass.

        Args:
            ours: m texts.
            a: Their masses (m).
            theirs: n texts.
            b: Their masses (n).

        Returns:
            A function of two groups, given as indices into `ours` and `theirs`.
        """

        def distance(one: Group, other: Group) -> float:
            return self._of(self._mean(ours, a, one), self._mean(theirs, b, other))

        return distance

    def _stacked(self, texts: Sequence[str]) -> Array:
        return self._vectors[[self._rows[text] for text in texts]].astype("float64")

    def _mean(self, texts: Sequence[str], masses: Array, group: Group) -> Array:
        mean: Array = masses[list(group)] @ self._stacked([texts[i] for i in group])
        length = float((mean @ mean) ** 0.5)
        return mean / length if length else mean

    def _of(self, u: Array, v: Array) -> float:
        distance = min(1.0, max(0.0, 1.0 - float(u @ v)))
        return float(distance**self._power)
