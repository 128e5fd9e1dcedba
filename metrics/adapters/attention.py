"""Attention shift: how a perturbation changes which parts of the prompt each part of the answer attends to."""

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
    """Return how much attention moved between the clean and the perturbed prompt, in [0, 1].

    This is the total variation distance between the attention distributions of aligned answer segments over the clean
    prompt's segments, averaged over the clean answer's segments by mass.

    Args:
        clean: Shares of attention from the clean answer's segments to the clean prompt's (k, p); rows sum to 1.
        perturbed: The same for the perturbed answer and prompt (k', p').
        back: Maps segments of the perturbed prompt to those of the clean one (p', p + 1); see `back_mapping`.
        partners: For each of the k clean answer segments, the index of its counterpart among the k'.
        masses: The masses of the k clean answer segments.
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
    """Return which share of each perturbed prompt segment comes from which clean prompt segment.

    Args:
        clean: Sorted character spans of the clean prompt's p segments; characters between two belong to the first.
        perturbed: The same for the perturbed prompt's p' segments.
        edits: The edits that turned the clean prompt into the perturbed one, sorted by position.

    Returns:
        Shares (p', p + 1) whose rows sum to 1; the last column holds the share of inserted text that replaces nothing.

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
    """Maps characters of the perturbed text to positions in the clean text."""

    def __init__(self, edits: Sequence[Replaced]) -> None:
        self._starts: list[int] = []
        self._edits: list[tuple[int, int, int]] = []
        shift = 0
        for position, removed, inserted in edits:
            self._starts.append(position + shift)
            self._edits.append((position, len(removed), len(inserted)))
            shift += len(inserted) - len(removed)

    def of(self, place: int) -> int | None:
        """Return the clean position of a character, or None if it is new.

        The first characters of a replacement map to the removed ones; any beyond those are new.
        """
        i = bisect_right(self._starts, place) - 1
        if i < 0:
            return place
        position, removed, inserted = self._edits[i]
        within = place - self._starts[i]
        if within >= inserted:
            return position + removed + within - inserted
        return position + within if within < removed else None
