"""Sharpness-aware minimisation: step up to the worst nearby point, take its gradient, step back (Foret et al. 2021)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from holdfast.errors import UserError
from holdfast.training.noise.layers import adapted_layers


@contextmanager
def ascended(parameters: Sequence[Tensor], rho: float) -> Iterator[None]:
    """Within the block the parameters stand rho * g / ||g|| higher, g their gradients now; then exactly where they
    stood. The gradients are cleared on the way up."""
    moved = [parameter for parameter in parameters if parameter.grad is not None]
    norm = torch.stack([_gradient(p).float().norm() for p in moved]).norm() if moved else torch.tensor(0.0)
    kept = [parameter.detach().clone() for parameter in moved]
    with torch.no_grad():
        for parameter in moved:
            parameter.add_(_gradient(parameter) * (rho / (norm + 1e-12)).to(parameter.dtype))
            parameter.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(moved, kept, strict=True):
                parameter.copy_(before)


def sam_parameters(model: nn.Module, where: str) -> list[Tensor]:
    """What SAM moves: the adapter's own A and B (`sam_ab`), or the frozen matrices under it (`sam_w`)."""
    if where == "sam_ab":
        found: list[Tensor] = [parameter for parameter in model.parameters() if parameter.requires_grad]
    else:
        weights = [layer.base.weight for layer in adapted_layers(model)]
        found = [weight for weight in weights if isinstance(weight, Tensor) and weight.is_floating_point()]
    if not found:
        raise UserError(f"{where}: the model has no parameter that it could move")
    return found


@contextmanager
def gradients_wanted(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Within the block these parameters get gradients, frozen or not; afterwards none is left on frozen ones."""
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
