"""Attention reallocation: which part of the prompt each part of the answer looks at, and whether a perturbation moved
that (S2R2's account of why adapters drift; METHODS 2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

Span = tuple[int, int]
Replaced = tuple[int, str, str]
"""(position in the clean text, removed, inserted)."""


def attention_shift(
    clean: Array, perturbed: Array, back: Array, partners: Sequence[int], masses: Sequence[float]
) -> float:
    """How much attention moved, in [0, 1]: the total variation between what an answer's segments attend to in the clean
    and in the perturbed prompt, as a mean over the clean answer's segments by mass.

    `clean` (k, p) and `perturbed` (k', p') hold the shares of attention from answer segments to prompt segments, rows
    summing to one; `back` (p', p + 1) says where each segment of the perturbed prompt was in the clean one, its last
    column what was not there (see `back_mapping`); `partners` (k) names for each clean answer segment its counterpart
    among the k'.
    """
    import numpy as np

    before = np.hstack([clean, np.zeros((len(clean), 1))])
    moved = perturbed @ back
    total = sum(masses)
    shift = sum(
        mass * 0.5 * float(np.abs(before[i] - moved[j]).sum())
        for i, (j, mass) in enumerate(zip(partners, masses, strict=True))
    )
    return min(1.0, shift / total) if total else 0.0


def back_mapping(clean: Sequence[Span], perturbed: Sequence[Span], edits: Sequence[Replaced]) -> Array:
    """(p', p + 1): the share of each segment of the perturbed prompt that stood in each segment of the clean one, and
    in the last column what is new: text inserted beyond what it replaces.

    Segments are given by their character spans, sorted; characters between two segments belong to the one before. Rows
    sum to one.

    >>> back_mapping([(0, 4), (5, 9)], [(0, 3), (4, 8)], [(1, "b", "")]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    import numpy as np

    starts = [start for start, _ in clean]
    mapping = np.zeros((len(perturbed), len(clean) + 1))
    origin = _Origin(edits)
    for row, (start, end) in zip(mapping, perturbed, strict=True):
        for place in range(start, end):
            before = origin.of(place)
            row[-1 if before is None else max(0, bisect_right(starts, before) - 1)] += 1
    shares: Array = mapping / mapping.sum(1, keepdims=True)
    return shares


class _Origin:
    """From a character of the perturbed text to the clean one."""

    def __init__(self, edits: Sequence[Replaced]) -> None:
        self._starts: list[int] = []
        self._edits: list[tuple[int, int, int]] = []
        shift = 0
        for position, removed, inserted in edits:
            self._starts.append(position + shift)
            self._edits.append((position, len(removed), len(inserted)))
            shift += len(inserted) - len(removed)

    def of(self, place: int) -> int | None:
        """Where it was; None where it is new. Of a replacement, as much as was removed stands for what was there."""
        i = bisect_right(self._starts, place) - 1
        if i < 0:
            return place
        position, removed, inserted = self._edits[i]
        within = place - self._starts[i]
        if within >= inserted:
            return position + removed + within - inserted
        return position + within if within < removed else None
