"""Batches that are halved where a device's memory runs out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from holdfast.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


class Room:
    """How many rows fit into a device's memory at a time: `size` at first, fewer from the batch on that does not."""

    def __init__(self, size: int, device: object) -> None:
        self.size = size
        self._device = device

    def each(self, rows: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> Iterator[R]:
        """What `work` makes of each row, from as many rows at a time as fit.

        Raises UserError for a single row that does not.
        """
        import torch

        done = 0
        while done < len(rows):
            chosen = rows[done : done + self.size]
            try:
                found = work(chosen)
            except torch.OutOfMemoryError:
                found = None
            # Only outside of the handler are the failed attempt's tensors let go.
            if found is None:
                if len(chosen) == 1:
                    raise UserError(
                        f"out of memory on {self._device} with a single prompt: use a smaller dtype, a shorter "
                        "max_length or another device"
                    )
                self.size = min(self.size, len(chosen) // 2)
                torch.cuda.empty_cache()
                continue
            yield from found
            done += len(chosen)
