"""Batches that are halved where a device's memory runs out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Room:
    """How many rows fit into memory at a time: `size` at first, fewer from the batch on that does not fit."""

    def __init__(self, size: int) -> None:
        self.size = size

    def each(self, rows: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> Iterator[R]:
        """What `work` makes of each row, from as many rows at a time as fit.

        Raises torch.OutOfMemoryError for a single row that does not.
        """
        import torch

        done = 0
        while done < len(rows):
            chosen = rows[done : done + self.size]
            try:
                found = work(chosen)
            except torch.OutOfMemoryError:
                if len(chosen) == 1:
                    raise
                found = None
            # Only outside of the handler are the failed attempt's tensors let go.
            if found is None:
                self.size = min(self.size, len(chosen) // 2)
                torch.cuda.empty_cache()
                continue
            yield from found
            done += len(chosen)
