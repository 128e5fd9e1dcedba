"""Noise on the weights during a training step, which never touches the weights themselves."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from holdfast.errors import UserError
from holdfast.training.noise.weights.layers import Adapted, adapted_layers
from holdfast.training.noise.weights.normals import Finish, key_of, normals

Kind = Literal["flat_lora", "isotropic"]


def schedule(sigma: float, step: int, total: int) -> float:
    """sigma_t = sigma (1 - cos(pi t / T)) / 2: none at the first optimizer step, all at the last (METHODS 1).

    >>> schedule(0.05, 0, 10), schedule(0.05, 10, 10)
    (0.0, 0.05)
    """
    return sigma * (1 - math.cos(math.pi * min(1.0, step / max(1, total)))) / 2


@dataclass(frozen=True)
class Noise:
    """The noise of one layer in one step: eps_ij = std_i z_ij with z from `key`."""

    std: Tensor
    key: int

    def like(self, weight: Tensor) -> Tensor:
        """eps (m, n), in float32."""
        return self._normals(weight, lambda z, rows: z.mul_(self.std[rows, None]))

    def added_to(self, weight: Tensor) -> Tensor:
        """W + eps (m, n), in float32."""
        return self._normals(weight, lambda z, rows: torch.addcmul(weight[rows], z, self.std[rows, None], out=z))

    def _normals(self, weight: Tensor, finish: Finish) -> Tensor:
        return normals(self.key, weight.shape[0], weight.shape[1], weight.device, finish)


class WeightNoise:
    """Flat-LoRA (arXiv 2409.14396): a step sees W + s B A + eps, with eps_ij ~ N(0, (sigma_t^2 / n) ||W'_i||^2).

    W'_i is row i of the merged matrix, sigma_t rises by `schedule`, and there is one eps per optimizer step, the same
    for all its micro-batches, ranks and recomputations. `isotropic` is the control: the same energy in each matrix,
    spread evenly over its rows.

    The base is only read: a layer adds eps to a copy of its weight where it multiplies, forward and backward, so that
    one layer's noise is alive at a time, and the frozen weights stay as they are, bit for bit.

    Outside of `step(...)` the model is the model: evaluation and saving never see noise.
    """

    def __init__(
        self, model: nn.Module, *, sigma: float, seed: int = 0, kind: Kind = "flat_lora", all_linear: bool = False
    ) -> None:
        if sigma < 0:
            raise UserError(f"sigma {sigma:g}: the noise's scale can't be negative")
        self._layers = adapted_layers(model, all_linear=all_linear)
        if not self._layers:
            raise UserError("there is no linear layer under an active LoRA adapter: nothing to put noise on")
        self._sigma, self._seed, self._kind = sigma, seed, kind
        self._now: dict[str, Noise] = {}
        self._squares = {layer.name: layer.base_squares() for layer in self._layers}
        for layer in self._layers:
            _wrap(layer, self._now)

    @contextmanager
    def step(self, step: int, total: int) -> Iterator[None]:
        """Within the block, forward and backward passes see the noise of optimizer step `step` of `total`."""
        sigma = schedule(self._sigma, step, total)
        if sigma > 0:
            for layer in self._layers:
                self._now[layer.name] = Noise(self._std(layer, sigma), key_of(self._seed, step, layer.name))
        try:
            yield
        finally:
            self._now.clear()

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        """Run one micro-batch under the noise of its step (see `StepNoise`)."""
        with self.step(step, total):
            return run()

    def remove(self) -> None:
        """Give the layers their own forward passes back."""
        for layer in self._layers:
            del layer.base.forward

    def _std(self, layer: Adapted, sigma: float) -> Tensor:
        norms = layer.row_norms(self._squares[layer.name]) * (sigma / math.sqrt(layer.weight().shape[1]))
        return norms if self._kind == "flat_lora" else norms.pow(2).mean().sqrt().expand_as(norms)


def _wrap(layer: Adapted, now: dict[str, Noise]) -> None:
    base: Any = layer.base
    plain: Callable[..., Tensor] = base.forward

    def forward(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        noise = now.get(layer.name)
        if noise is None:
            return plain(x, *args, **kwargs)
        if base.weight.is_floating_point():
            result: Tensor = _Noisy.apply(x, layer, noise, base.bias)  # type: ignore[no-untyped-call]
            return result
        beside: Tensor = _Beside.apply(x, layer, noise)  # type: ignore[no-untyped-call]
        return plain(x, *args, **kwargs) + beside

    base.forward = forward


class _Noisy(torch.autograd.Function):
    """x (W + eps)^T + b in one product; backward makes eps again instead of keeping it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Adapted, noise: Noise, bias: Tensor | None) -> Tensor:
        ctx.layer, ctx.noise = layer, noise
        ctx.has_bias = bias is not None and bias.requires_grad
        return functional.linear(
            x, _noisy_weight(layer, noise, x.dtype), bias.to(x.dtype) if bias is not None else None
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        back = gradient @ _noisy_weight(ctx.layer, ctx.noise, gradient.dtype) if ctx.needs_input_grad[0] else None
        bias = gradient.flatten(0, -2).sum(0) if ctx.has_bias else None
        return back, None, None, bias


class _Beside(torch.autograd.Function):
    """x eps^T alone, beside the product of a quantised layer, whose weight is no matrix to add to."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Adapted, noise: Noise) -> Tensor:
        ctx.layer, ctx.noise = layer, noise
        return functional.linear(x, noise.like(layer.weight()).to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        return gradient @ ctx.noise.like(ctx.layer.weight()).to(gradient.dtype), None, None


def _noisy_weight(layer: Adapted, noise: Noise, dtype: torch.dtype) -> Tensor:
    weight = layer.weight()
    if weight.is_cuda and find_spec("triton"):
        from holdfast.training.noise.weights.fused import noisy_weight

        return noisy_weight(weight, noise.std, noise.key, dtype)
    return noise.added_to(weight).to(dtype)
