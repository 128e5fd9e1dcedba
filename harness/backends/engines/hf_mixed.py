"""Rows of several adapters in one forward pass.

peft does this too (`adapter_names`), but copies an adapter's rows out of the batch and back into it in every layer.
Here they stand together, and a slice is no copy; benchmarks/mixed_batches.py measures what mixing gains.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any

KINDS = ("Linear", "Linear4bit", "Linear8bitLt")
"""peft's LoRA layers that are mixed: W x + s B A x, W in whatever format."""

Slices = Sequence[tuple[str, slice]]


@contextmanager
def mixed(model: Any, routes: Sequence[str] | None) -> Iterator[None]:
    """Within the block row i of a batch passes through the factors of peft's adapter `routes[i]`, if there is one.

    Without routes nothing changes. A layer that is given anything but one entry for each row (a router's, say, which
    sees all tokens in one long row) raises ValueError.
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
        raise ValueError(f"{len(x)} rows where there are {slices[-1][1].stop} prompts")
    result = layer.base_layer(x, *args, **kwargs)
    for name, rows in slices:
        if name in layer.lora_A:
            down, up = layer.lora_A[name], layer.lora_B[name]
            update = up(down(x[rows].to(down.weight.dtype))) * layer.scaling[name]
            result[rows] += update.to(result.dtype)
    return result
