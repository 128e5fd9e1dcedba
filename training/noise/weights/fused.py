"""A weight with its noise in one pass over it, on CUDA: a Triton kernel."""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024
"""Groups of four normal numbers that one program draws."""


def noisy_weight(weight: Tensor, std: Tensor, key: int, dtype: torch.dtype) -> Tensor:
    """W + eps (m, n) in `dtype`, eps_ij = std_i z_ij with z_ij ~ N(0, 1) from `key`: the sum is made in float32.

    `weight` (m, n) may be strided, as a transposed matrix is; `std` is (m). The same key and shape give the same bits
    in forward, backward and on every rank: Philox (Salmon et al. 2011) counts places, whatever runs beside. eps itself
    is never in memory.
    """
    rows, columns = weight.shape
    out = torch.empty(rows, columns, dtype=dtype, device=weight.device)
    programs = (triton.cdiv(rows * columns, 4 * _BLOCK),)
    with torch.cuda.device_of(weight):  # type: ignore[no-untyped-call]
        _add_noise[programs](
            weight, std.contiguous(), out, key, rows * columns, columns, *weight.stride(), BLOCK=_BLOCK
        )
    return out


@triton.jit(do_not_specialize=["key"])  # type: ignore[untyped-decorator]
def _add_noise(weight, std, out, key, size, columns, by_row, by_column, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    group = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    first, second, third, fourth = tl.randn4x(key, group)
    begin = tl.program_id(0).to(tl.int64) * BLOCK * 4 + tl.arange(0, BLOCK)
    _store(weight, std, out, first, begin, size, columns, by_row, by_column)
    _store(weight, std, out, second, begin + BLOCK, size, columns, by_row, by_column)
    _store(weight, std, out, third, begin + 2 * BLOCK, size, columns, by_row, by_column)
    _store(weight, std, out, fourth, begin + 3 * BLOCK, size, columns, by_row, by_column)


@triton.jit  # type: ignore[untyped-decorator]
def _store(weight, std, out, z, place, size, columns, by_row, by_column):  # type: ignore[no-untyped-def]
    there = place < size
    row, column = place // columns, place % columns
    value = tl.load(weight + row * by_row + column * by_column, mask=there).to(tl.float32)
    value += z * tl.load(std + row, mask=there)
    tl.store(out + place, value.to(out.dtype.element_ty), mask=there)
