"""Normal numbers that a key decides: the same on every rank, in every pass, whatever else was drawn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

_BLOCK = 1 << 19
"""About how many values one generator draws on CPU, in whole rows: fixed, so that the number of threads changes
nothing, and as many as make the calls around them cheap."""

Finish = Callable[[Tensor, slice], object]


def key_of(*fields: object) -> int:
    """A seed from what a draw is for: (seed, step, module name).

    >>> key_of(0, 3, "q_proj") == key_of(0, 3, "q_proj") != key_of(0, 3, "k_proj")
    True
    """
    return int.from_bytes(blake2b(repr(fields).encode(), digest_size=8).digest()) >> 1


def normals(key: int, rows: int, columns: int, device: torch.device, finish: Finish | None = None) -> Tensor:
    """(rows, columns) float32 from N(0, 1), a pure function of the key and the shape on one kind of device.

    On CPU they come in 65,536 sizes, the means of as many equally likely slices of the normal distribution: a weight's
    noise needs no finer ones, and looking them up takes half the time of computing them.

    `finish` is handed these rows block by block, with their places, and may change them.
    """
    out = torch.empty(rows, columns, device=device, dtype=torch.float32)
    step = max(1, _BLOCK // max(1, columns)) if device.type == "cpu" else max(1, rows)

    def draw(start: int) -> None:
        places = slice(start, start + step)
        if device.type == "cpu":
            _looked_up(key_of(key, start), out[places])
        else:
            out[places].normal_(generator=torch.Generator(device).manual_seed(key_of(key, start)))
        if finish:
            finish(out[places], places)

    _each(draw, range(0, rows, step))
    return out


def _looked_up(seed: int, out: Tensor) -> None:
    bits = np.random.SFC64(seed).random_raw(-(-out.numel() // 4)).view(np.uint16)[: out.numel()]
    torch.index_select(_sizes(), 0, torch.from_numpy(bits.astype(np.int32)), out=out.view(-1))


@cache
def _sizes() -> Tensor:
    """(65536) float32, rising, with mean 0 and variance 1: E[z | a < z < b] = (phi(a) - phi(b)) / P(a < z < b)."""
    borders = torch.special.ndtri(torch.linspace(0, 1, (1 << 16) + 1, dtype=torch.float64))
    density = torch.exp(-borders.square() / 2)
    means = density.diff().neg()
    return (means / means.square().mean().sqrt()).float()


def _each(work: Callable[[int], None], places: range) -> None:
    if len(places) < 2 or torch.get_num_threads() == 1:
        for place in places:
            work(place)
    else:
        list(_threads(torch.get_num_threads()).map(work, places))


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "noise")
