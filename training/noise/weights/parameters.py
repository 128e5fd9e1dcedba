"""Bare parameters that an adapter changes, such as a mixture's experts: their matrices, and noise on them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from holdfast.training.noise.weights.layers import AdaptedLayer, Factors, active_adapters


@dataclass(frozen=True)
class AdaptedMatrix(AdaptedLayer):
    """A matrix of a parameter that LoRA changes through `target_parameters`.

    `parameter` is the parameter's name in the module `base`. It is one matrix, or a stack of them, (experts, m, n) or
    (experts, n, m), of which this is number `expert`.
    """

    parameter: str = ""
    expert: int | None = None
    is_transposed: bool = False

    @property
    def transposed(self) -> bool:
        """Whether the parameter stores the matrix as (n, m)."""
        return self.is_transposed

    def factors_of(self, adapter: str) -> Factors:
        """Return the scale, A and B of one adapter; peft keeps those of all experts in two matrices."""
        scale, a, b = super().factors_of(adapter)
        if self.expert is not None:
            count = self.wrapper.num_experts
            a, b = a.reshape(count, -1, a.shape[1])[self.expert], b.reshape(b.shape[0], -1, count)[:, :, self.expert]
        return scale, a, b

    def weight(self) -> Tensor:
        """Return the frozen matrix W (m, n)."""
        return self.part_of(getattr(self.base, self.parameter).detach())

    def part_of(self, stack: Tensor) -> Tensor:
        """Return this matrix (m, n) as a view of a tensor of the parameter's shape."""
        part = stack if self.expert is None else stack[self.expert]
        return part.T if self.transposed else part


class Draws(Protocol):
    """The noise of one matrix."""

    def draw(self, weight: Tensor) -> Tensor:
        """Return eps (m, n) in float32."""
        ...


def adapted_parameters(model: nn.Module) -> list[AdaptedMatrix]:
    """Return the matrices of the parameters that the model's active LoRA adapters change, in the model's order."""
    return [matrix for name, module in model.named_modules() for matrix in _matrices(name, module)]


def parameters_under_adapter(model: nn.Module) -> list[Tensor]:
    """Return the frozen parameters that the model's active LoRA adapters change as such, not as a layer's matrix."""
    found = {(id(each.base), each.parameter): getattr(each.base, each.parameter) for each in adapted_parameters(model)}
    return list(found.values())


def _matrices(name: str, wrapper: Any) -> Iterator[AdaptedMatrix]:
    if not hasattr(wrapper, "parameter_name") or not (chosen := active_adapters(wrapper)):
        return
    base, stack = wrapper.get_base_layer(), wrapper.get_param()
    experts = range(stack.shape[0]) if stack.dim() == 3 else [None]
    for expert in experts:
        # peft's rule: a stack is (experts, out, in), unless the module says that it is transposed.
        transposed = expert is not None and bool(getattr(base, "is_transposed", False))
        place = wrapper.parameter_name if expert is None else f"{wrapper.parameter_name}[{expert}]"
        yield AdaptedMatrix(f"{name}.{place}", base, wrapper, tuple(chosen), wrapper.parameter_name, expert, transposed)


def add_noise(matrices: Sequence[AdaptedMatrix], now: Mapping[str, Draws]) -> None:
    """Make each module read its parameters with the noise in `now`, by matrix name, as long as there is any.

    The noise of a whole parameter is drawn when the module runs, and added to the merged parameter that peft makes.
    """
    for _, group in groupby(sorted(matrices, key=lambda each: id(each.base)), key=lambda each: id(each.base)):
        _wrap(list(group), now)


def _wrap(matrices: Sequence[AdaptedMatrix], now: Mapping[str, Draws]) -> None:
    base: Any = matrices[0].base
    plain = base.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            for parameter in dict.fromkeys(each.parameter for each in matrices):
                noisy = [each for each in matrices if each.parameter == parameter and each.name in now]
                if noisy:
                    stack.enter_context(_parametrized(base, parameter, _Plus(noisy, now)))
            return plain(*args, **kwargs)

    base.forward = forward


@contextmanager
def _parametrized(base: nn.Module, parameter: str, added: nn.Module) -> Iterator[None]:
    is_first = not parametrize.is_parametrized(base, parameter)
    trained = is_first and getattr(base, parameter).requires_grad  # reading it later would cache it without the noise
    parametrize.register_parametrization(base, parameter, added, unsafe=True)  # unsafe: without a trial run
    found: Any = base.parametrizations
    if is_first:
        found[parameter].original.requires_grad_(trained)
    try:
        yield
    finally:
        if is_first:
            parametrize.remove_parametrizations(base, parameter, leave_parametrized=False)
        else:
            del found[parameter][-1]


class _Plus(nn.Module):
    """Adds the matrices' noise to a parameter."""

    def __init__(self, matrices: Sequence[AdaptedMatrix], now: Mapping[str, Draws]) -> None:
        super().__init__()
        self._matrices, self._now = matrices, now

    def forward(self, stack: Tensor) -> Tensor:
        eps = torch.zeros_like(stack, dtype=torch.float32)
        for each in self._matrices:
            part = each.part_of(eps)
            part.copy_(self._now[each.name].draw(part))
        return (stack + eps).to(stack.dtype)
