"""Batches that are halved when a device runs out of memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from holdfast.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


class AdaptiveBatches:
    """Work in batches of `size` rows, halved for good whenever a batch doesn't fit into the device's memory."""

    def __init__(self, size: int, device: object) -> None:
        self.size = size
        self._device = device

    def map(self, rows: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> Iterator[R]:
        """Yield the result of `work` for each row, computed for as many rows at a time as fit.

        Raises:
            UserError: If a single row doesn't fit.
        """
        import torch

        done = 0
        while done < len(rows):
            chosen = rows[done : done + self.size]
            try:
                found = work(chosen)
            except torch.OutOfMemoryError:
                found = None
            # The failed attempt's tensors are freed only once the handler is left.
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
