"""Rows of several adapters in one forward pass.

peft does this too (`adapter_names`), but copies an adapter's rows out of the batch and back into it in every layer.
Here the rows of an adapter are adjacent, so a slice needs no copy; benchmarks/mixed_batches.py measures the gain.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any

KINDS = ("Linear", "Linear4bit", "Linear8bitLt")
"""peft's LoRA layers that can be mixed: W x + s B A x, with W in any format."""

Slices = Sequence[tuple[str, slice]]


@contextmanager
def mixed(model: Any, routes: Sequence[str] | None) -> Iterator[None]:
    """Within the block, apply peft's adapter `routes[i]` to row i of a batch; unknown names mean the base.

    Without routes, nothing changes. A layer whose input doesn't have one entry per row (such as a mixture-of-experts
    router's, which sees all tokens in one long row) raises ValueError.
    """
    from peft.tuners.lora import LoraLayer

    if not routes:
        yield
        return
    slices, start = [], 0
    for name, group in groupby(routes):
        slices.append((name, slice(start, start := start + len(list(group)))))
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    for layer in layers:
        layer.forward = partial(_forward, layer, slices)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _forward(layer: Any, slices: Slices, x: Any, *args: Any, **kwargs: Any) -> Any:
    if len(x) != slices[-1][1].stop:
        raise ValueError(f"got {len(x)} rows for {slices[-1][1].stop} prompts")
    result = layer.base_layer(x, *args, **kwargs)
    for name, rows in slices:
        if name in layer.lora_A:
            down, up = layer.lora_A[name], layer.lora_B[name]
            update = up(down(x[rows].to(down.weight.dtype))) * layer.scaling[name]
            result[rows] += update.to(result.dtype)
    return result
