"""Sharpness-aware minimisation (Foret et al. 2021): step to the worst nearby point, take its gradient, step back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn

from holdfast.errors import UserError
from holdfast.training.noise.weights.layers import adapted_layers
from holdfast.training.noise.weights.parameters import parameters_under_adapter


class SharpnessAware:
    """SAM over some parameters of a model: two forward and backward passes over the batch of each optimizer step.

    All micro-batches of a step, on all ranks, climb to the same point: the worst one for their joint loss.

    Args:
        model: The model.
        parameters: The parameters that are moved, frozen or not.
        rho: The length of the step in the L2 norm over all parameters, >= 0.
    """

    def __init__(self, model: nn.Module, parameters: list[Tensor], rho: float) -> None:
        self._model, self._parameters, self._rho = model, parameters, rho

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        """Compute the gradients at the worst point and return the loss at the current one (see `StepNoise`)."""
        every = list({id(p): p for p in (*self._model.parameters(), *self._parameters)}.values())
        earlier = [p.grad for p in every]
        with with_gradients(self._parameters):
            _clear(every)
            loss = run()
            _average_over_ranks(self._parameters)
            moved = {id(parameter) for parameter in self._parameters}
            _clear([p for p in every if id(p) not in moved])
            with ascended(self._parameters, self._rho):
                run()
        for parameter, grad in zip(every, earlier, strict=True):
            if grad is not None:
                parameter.grad = grad if parameter.grad is None else parameter.grad + grad
        return loss


def trained_parameters(model: nn.Module) -> list[Tensor]:
    """Return the parameters that training updates, usually an adapter's A and B; raises UserError if there are none."""
    return _require_any([parameter for parameter in model.parameters() if parameter.requires_grad])


def matrices_under_adapter(model: nn.Module) -> list[Tensor]:
    """Return the frozen floating-point weights that adapters change; raises UserError if there are none."""
    weights = [*(layer.base.weight for layer in adapted_layers(model)), *parameters_under_adapter(model)]
    return _require_any([weight for weight in weights if isinstance(weight, Tensor) and weight.is_floating_point()])


@contextmanager
def ascended(parameters: Sequence[Tensor], rho: float) -> Iterator[None]:
    """Move parameters by rho * g / ||g|| within the block, g being their gradients, and restore them exactly after it.

    The gradients are cleared before the block runs. If they contain NaN or infinity, nothing moves.

    Args:
        parameters: The parameters; those without gradients stay.
        rho: The length of the step in the L2 norm over all parameters.
    """
    moved = [parameter for parameter in parameters if parameter.grad is not None]
    norm = torch.stack([_gradient(p).float().norm() for p in moved]).norm() if moved else torch.tensor(0.0)
    kept = [parameter.detach().clone() for parameter in moved]
    has_direction = bool(norm.isfinite())
    with torch.no_grad():
        for parameter in moved:
            if has_direction:
                parameter.add_(_gradient(parameter) * (rho / (norm + 1e-12)).to(parameter.dtype))
            parameter.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(moved, kept, strict=True):
                parameter.copy_(before)


@contextmanager
def with_gradients(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Make frozen parameters require gradients within the block; after it they are frozen and have no gradients."""
    frozen = [parameter for parameter in parameters if not parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
            parameter.grad = None


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _average_over_ranks(parameters: Sequence[Tensor]) -> None:
    """Average gradients over data-parallel ranks: torch does that for trained parameters, not for frozen ones."""
    if distributed.is_available() and distributed.is_initialized():
        for parameter in parameters:
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= distributed.get_world_size()


def _clear(parameters: Sequence[Tensor]) -> None:
    for parameter in parameters:
        parameter.grad = None


def _require_any(found: list[Tensor]) -> list[Tensor]:
    if not found:
        raise UserError("sharpness-aware minimisation needs an adapter or other trainable weights; the model has none")
    return found
