"""Normal random numbers determined by a key: the same on every rank and in every pass."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

_BLOCK = 1 << 19
"""The approximate number of values drawn from one generator on CPU, rounded to whole rows: fixed, so that the result
doesn't depend on the number of threads, and large enough to make the overhead negligible."""

Finish = Callable[[Tensor, slice], object]


def key_of(*fields: object) -> int:
    """Hash the fields that identify a draw, such as seed, step and module name, to a 63-bit seed.

    >>> key_of(0, 3, "q_proj") == key_of(0, 3, "q_proj") != key_of(0, 3, "k_proj")
    True
    """
    return int.from_bytes(blake2b(repr(fields).encode(), digest_size=8).digest()) >> 1


def normals(key: int, rows: int, columns: int, device: torch.device, finish: Finish | None = None) -> Tensor:
    """Draw (rows, columns) float32 values from N(0, 1), a pure function of key and shape on one kind of device.

    On CPU they take 65,536 values, the means of as many equally likely slices of the normal distribution: noise on
    weights needs no finer ones, and a table look-up takes half the time.

    Args:
        key: The seed (see `key_of`).
        rows: The number of rows.
        columns: The number of columns.
        device: Where to draw them.
        finish: Called with each block of rows and their slice; it may change the rows in place.
    """
    out = torch.empty(rows, columns, device=device, dtype=torch.float32)
    step = max(1, _BLOCK // max(1, columns)) if device.type == "cpu" else max(1, rows)

    def draw(start: int) -> None:
        places = slice(start, start + step)
        if device.type == "cpu":
            _draw_from_table(key_of(key, start), out[places])
        else:
            out[places].normal_(generator=torch.Generator(device).manual_seed(key_of(key, start)))
        if finish:
            finish(out[places], places)

    _run_in_threads(draw, range(0, rows, step))
    return out


def _draw_from_table(seed: int, out: Tensor) -> None:
    bits = np.random.SFC64(seed).random_raw(-(-out.numel() // 4)).view(np.uint16)[: out.numel()]
    torch.index_select(_table(), 0, torch.from_numpy(bits.astype(np.int32)), out=out.view(-1))


@cache
def _table() -> Tensor:
    """Return the 65,536 slice means E[z | a < z < b] = (phi(a) - phi(b)) / P(a < z < b), scaled to variance 1."""
    borders = torch.special.ndtri(torch.linspace(0, 1, (1 << 16) + 1, dtype=torch.float64))
    density = torch.exp(-borders.square() / 2)
    means = density.diff().neg()
    return (means / means.square().mean().sqrt()).float()


def _run_in_threads(work: Callable[[int], None], starts: range) -> None:
    if len(starts) < 2 or torch.get_num_threads() == 1:
        for start in starts:
            work(start)
    else:
        list(_threads(torch.get_num_threads()).map(work, starts))


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "noise")
