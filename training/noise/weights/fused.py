"""A Triton kernel for CUDA that adds noise to a weight in one pass."""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024
"""Groups of four normal numbers drawn by one program."""


def noisy_weight(weight: Tensor, std: Tensor, key: int, dtype: torch.dtype) -> Tensor:
    """Return W + eps with eps_ij = std_i z_ij and z_ij ~ N(0, 1), without storing eps.

    The same key and shape give the same bits in forward, backward and on every rank: Philox (Salmon et al. 2011) is a
    counter-based generator.

    Args:
        weight: W (m, n), in any memory layout.
        std: The standard deviation of each row (m).
        key: The seed of the noise.
        dtype: The type of the result; the sum is computed in float32 and rounded once.

    Returns:
        W + eps (m, n), contiguous.
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
def _store(weight, std, out, z, offset, size, columns, by_row, by_column):  # type: ignore[no-untyped-def]
    inside = offset < size
    row, column = offset // columns, offset % columns
    value = tl.load(weight + row * by_row + column * by_column, mask=inside).to(tl.float32)
    value += z * tl.load(std + row, mask=inside)
    tl.store(out + offset, value.to(out.dtype.element_ty), mask=inside)
