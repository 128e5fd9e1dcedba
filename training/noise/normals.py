"""Normal numbers that a key decides: the same on every rank, in every pass, whatever else was drawn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b

import torch
from torch import Tensor

_BLOCK = 1 << 16
"""About how many values one generator draws on CPU, in whole rows: fixed, so that the number of threads changes
nothing, and few enough to lie in a core's cache."""

Finish = Callable[[Tensor, slice], object]


def key_of(*fields: object) -> int:
    """A seed from what a draw is for: (seed, step, module name).

    >>> key_of(0, 3, "q_proj") == key_of(0, 3, "q_proj") != key_of(0, 3, "k_proj")
    True
    """
    return int.from_bytes(blake2b(repr(fields).encode(), digest_size=8).digest()) >> 1


def normals(key: int, rows: int, columns: int, device: torch.device, finish: Finish | None = None) -> Tensor:
    """(rows, columns) float32 from N(0, 1), a pure function of the key and the shape on one kind of device.

    `finish` is handed these rows block by block, with their places, and may change them while they are in the cache.
    """
    out = torch.empty(rows, columns, device=device)
    step = max(1, _BLOCK // max(1, columns)) if device.type == "cpu" else max(1, rows)

    def draw(start: int) -> None:
        places = slice(start, start + step)
        out[places].normal_(generator=torch.Generator(device).manual_seed(key_of(key, start)))
        if finish:
            finish(out[places], places)

    _each(draw, range(0, rows, step))
    return out


def _each(work: Callable[[int], None], places: range) -> None:
    if len(places) < 2 or torch.get_num_threads() == 1:
        for place in places:
            work(place)
    else:
        list(_threads(torch.get_num_threads()).map(work, places))


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "noise")
