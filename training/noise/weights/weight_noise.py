"""Noise on the weights during a training step, added without changing the stored weights."""

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
from holdfast.training.noise.weights.layers import AdaptedLayer, adapted_layers
from holdfast.training.noise.weights.normals import Finish, key_of, normals
from holdfast.training.noise.weights.parameters import adapted_parameters, add_noise

Kind = Literal["flat_lora", "isotropic"]


def schedule(sigma: float, step: int, total: int) -> float:
    """Return sigma_t = sigma (1 - cos(pi t / T)) / 2, which rises from 0 to sigma (arXiv 2409.14396).

    Args:
        sigma: The noise at the end.
        step: The optimizer step t, from 0.
        total: The number of steps T.

    >>> schedule(0.05, 0, 10), schedule(0.05, 10, 10)
    (0.0, 0.05)
    """
    return sigma * (1 - math.cos(math.pi * min(1.0, step / max(1, total)))) / 2


@dataclass(frozen=True)
class Noise:
    """The noise of one layer in one step: eps_ij = std_i z_ij with std (m) and z ~ N(0, 1) drawn from `key`."""

    std: Tensor
    key: int

    def draw(self, weight: Tensor) -> Tensor:
        """Return eps (m, n) in float32, on the weight's device."""
        return self._draw(weight, lambda z, rows: z.mul_(self.std[rows, None]))

    def add_to(self, weight: Tensor) -> Tensor:
        """Return W + eps (m, n) in float32."""
        return self._draw(weight, lambda z, rows: torch.addcmul(weight[rows], z, self.std[rows, None], out=z))

    def _draw(self, weight: Tensor, finish: Finish) -> Tensor:
        return normals(self.key, weight.shape[0], weight.shape[1], weight.device, finish)


class WeightNoise:
    """Flat-LoRA (arXiv 2409.14396): a step uses W + s B A + eps, with eps_ij ~ N(0, (sigma_t^2 / n) ||W'_i||^2).

    W'_i is row i of the merged matrix, and sigma_t follows `schedule`. Each optimizer step has its own eps, the same in
    all its micro-batches, on all ranks and when activations are recomputed.

    Frozen weights are never written to: each layer adds eps to a copy of its weight when it multiplies, in forward and
    in backward, so that memory holds one layer's noise at a time. Experts of a mixture that the adapter changes as bare
    parameters (`target_parameters`) are read with noise, from the merged copy that peft makes for each pass; memory
    then holds the noise of a whole stack of experts, in float32.

    Outside `step(...)` the model has no noise, so evaluation and saving never see it.

    Args:
        model: A model with an active LoRA adapter; the forward methods of the adapted modules are wrapped.
        sigma: The noise at the last step, relative to each row's root mean square, >= 0.
        seed: The seed of the noise.
        kind: `flat_lora`, or its control `isotropic`: the same energy in each matrix, spread evenly over its rows.
        all_linear: Whether to perturb every linear layer, not only those with an adapter.

    Raises:
        UserError: If sigma is negative, or no linear layer or expert has an active adapter.
    """

    def __init__(
        self, model: nn.Module, *, sigma: float, seed: int = 0, kind: Kind = "flat_lora", all_linear: bool = False
    ) -> None:
        if sigma < 0:
            raise UserError(f"sigma must be >= 0, got {sigma:g}")
        matrices = adapted_parameters(model)
        owned = {id(each.base) for each in matrices}
        linear = [each for each in adapted_layers(model, all_linear=all_linear) if id(each.base) not in owned]
        self._layers: list[AdaptedLayer] = [*linear, *matrices]
        if not self._layers:
            raise UserError("weight noise needs a linear layer with an active LoRA adapter; the model has none")
        self._sigma, self._seed, self._kind = sigma, seed, kind
        self._now: dict[str, Noise] = {}
        self._squares: dict[str, Tensor] = {}
        for layer in linear:
            _wrap(layer, self._now)
        add_noise(matrices, self._now)

    @contextmanager
    def step(self, step: int, total: int) -> Iterator[None]:
        """Add the noise of optimizer step `step` of `total` to all forward and backward passes within the block."""
        sigma = schedule(self._sigma, step, total)
        if sigma > 0:
            for layer in self._layers:
                self._now[layer.name] = Noise(self._std(layer, sigma), key_of(self._seed, step, layer.name))
        try:
            yield
        finally:
            self._now.clear()

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        """Run an optimizer step under its noise (see `StepNoise`)."""
        with self.step(step, total):
            return run()

    def remove(self) -> None:
        """Restore the layers' original forward methods."""
        for base in {id(layer.base): layer.base for layer in self._layers}.values():
            del base.forward

    def _std(self, layer: AdaptedLayer, sigma: float) -> Tensor:
        if layer.name not in self._squares:  # in the first step, when the model is on its device
            self._squares[layer.name] = layer.base_squares()
        norms = layer.row_norms(self._squares[layer.name]) * (sigma / math.sqrt(layer.weight().shape[1]))
        return norms if self._kind == "flat_lora" else norms.pow(2).mean().sqrt().expand_as(norms)


def _wrap(layer: AdaptedLayer, now: dict[str, Noise]) -> None:
    base: Any = layer.base
    plain: Callable[..., Tensor] = base.forward

    def forward(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        noise = now.get(layer.name)
        if noise is None:
            return plain(x, *args, **kwargs)
        if base.weight.is_floating_point():
            result: Tensor = _NoisyLinear.apply(x, layer, noise, base.bias)  # type: ignore[no-untyped-call]
            return result
        added: Tensor = _NoiseAlone.apply(x, layer, noise)  # type: ignore[no-untyped-call]
        return plain(x, *args, **kwargs) + added

    base.forward = forward


class _NoisyLinear(torch.autograd.Function):
    """x (W + eps)^T + b in one product; backward draws eps again instead of storing it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: AdaptedLayer, noise: Noise, bias: Tensor | None) -> Tensor:
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


class _NoiseAlone(torch.autograd.Function):
    """x eps^T, to be added to the output of a quantised layer, whose stored weight can't be added to."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: AdaptedLayer, noise: Noise) -> Tensor:
        ctx.layer, ctx.noise = layer, noise
        return functional.linear(x, noise.draw(layer.weight()).to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        return gradient @ ctx.noise.draw(ctx.layer.weight()).to(gradient.dtype), None, None


def _noisy_weight(layer: AdaptedLayer, noise: Noise, dtype: torch.dtype) -> Tensor:
    weight = layer.weight()
    if weight.is_cuda and find_spec("triton"):
        from holdfast.training.noise.weights.fused import noisy_weight

        return noisy_weight(weight, noise.std, noise.key, dtype)
    return noise.add_to(weight).to(dtype)
