"""The linear layers that an adapter changes, and their row norms, computed without merging."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Factors = tuple[float, Tensor, Tensor]
"""The scale s, A (r, n) and B (m, r)."""


@dataclass(frozen=True)
class AdaptedLayer:
    """A linear layer that LoRA changes, or may change.

    `name` is its name in the model and `base` the frozen layer. `wrapper` is peft's layer around it and `adapters` its
    active adapters; a layer without any has no wrapper.
    """

    name: str
    base: nn.Module
    wrapper: Any = None
    adapters: tuple[str, ...] = ()

    @property
    def factors(self) -> tuple[Factors, ...]:
        """The scale s, A (r, n) and B (m, r) of each active adapter, read anew: moving a model replaces its tensors."""
        return tuple(self.factors_of(adapter) for adapter in self.adapters)

    def factors_of(self, adapter: str) -> Factors:
        """Return the scale, A and B of one adapter."""
        wrapper = self.wrapper
        return float(wrapper.scaling[adapter]), wrapper.lora_A[adapter].weight, wrapper.lora_B[adapter].weight

    @property
    def transposed(self) -> bool:
        """Whether the layer stores its matrix as (n, m), as transformers' Conv1D does."""
        return type(self.base).__name__ == "Conv1D"

    def weight(self) -> Tensor:
        """Return the frozen matrix W (m, n), dequantised if necessary."""
        base: Any = self.base
        weight: Tensor = base.weight
        state = getattr(weight, "quant_state", None)
        if state is not None:  # bitsandbytes, 4 bits
            from bitsandbytes.functional import dequantize_4bit

            weight = dequantize_4bit(weight.data, state)
        elif hasattr(weight, "SCB"):  # bitsandbytes, 8 bits
            weight = weight.data.float() * (weight.SCB / 127)[:, None]
        weight = weight.detach()
        return weight.T if self.transposed else weight

    def base_squares(self) -> Tensor:
        """Return ||w_i||^2 for every row i of the frozen matrix: (m), float32."""
        return self.weight().float().pow(2).sum(1)

    def row_norms(self, base_squares: Tensor | None = None) -> Tensor:
        """Return the row norms of the merged matrix, ||w_i + sum_k s_k b_ki A_k|| for every row i: (m), float32.

        The m x n product B A is never computed, since ||w_i + s b_i A||^2 = ||w_i||^2 + 2 s b_i . (A w_i^T) +
        s^2 b_i (A A^T) b_i^T.

        Args:
            base_squares: The constant first term (see `base_squares`), if computed before.
        """
        squares = self.base_squares() if base_squares is None else base_squares
        if factors := self.factors:
            weight = self.weight().float()
            down = torch.cat([a.detach().float() for _, a, _ in factors])
            up = torch.cat([scale * b.detach().float() for scale, _, b in factors], dim=1)
            squares = squares + 2 * (up * (weight @ down.T)).sum(1) + (up @ (down @ down.T) * up).sum(1)
        return squares.clamp(min=0).sqrt()


def adapted_layers(model: nn.Module, *, all_linear: bool = False) -> list[AdaptedLayer]:
    """Return the linear layers that the model's active LoRA adapters change, in the model's order.

    Args:
        model: A model with or without adapters.
        all_linear: Whether to append every other nn.Linear and Conv1D, which Flat-LoRA's appendix (arXiv 2409.14396)
            perturbs as well.
    """
    found = list(_find_adapted(model))
    if all_linear:
        seen = {id(layer.base) for layer in found}
        found += [
            AdaptedLayer(name, module)
            for name, module in model.named_modules()
            if _is_linear(module) and id(module) not in seen and not _is_factor(name)
        ]
    return found


def _find_adapted(model: nn.Module) -> Iterator[AdaptedLayer]:
    for name, module in model.named_modules():
        if not _is_linear(getattr(module, "base_layer", None)) or hasattr(module, "parameter_name"):
            continue
        found: Any = module
        if adapters := active_adapters(module):
            yield AdaptedLayer(name, found.base_layer, module, tuple(adapters))


def active_adapters(module: Any) -> list[str]:
    """Return the active adapters that change a module by A and B."""
    return [each for each in _active(module) if each in getattr(module, "lora_A", ())]


def _active(module: Any) -> list[str]:
    found = getattr(module, "active_adapters", None) or []
    return [] if callable(found) else found  # a method of whole models


def left_out(model: nn.Module) -> list[str]:
    """Return what the model's adapters change besides matrices: LoRA of embeddings and convolutions, whole modules."""
    found = []
    for name, module in model.named_modules():
        short = name.removeprefix("base_model.model.")
        kept: Any = getattr(module, "modules_to_save", None)
        if any(each in getattr(module, "lora_embedding_A", ()) for each in _active(module)):
            found.append(f"{short} (LoRA of an embedding)")
        elif isinstance(kept, nn.ModuleDict) and len(kept):
            found.append(f"{short} (trained as a whole)")
        elif type(module).__name__ == "TrainableTokensWrapper":
            found.append(f"{short} (trained tokens)")
        elif active_adapters(module) and not (_is_linear(module.base_layer) or hasattr(module, "parameter_name")):
            found.append(f"{short} (LoRA of a {type(module.base_layer).__name__})")
    return found


def warn_of_left_out(noise: str, model: nn.Module) -> None:
    """Warn of what the adapter changes and this noise does not perturb."""
    if names := left_out(model):
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        warnings.warn(f"--noise {noise} perturbs linear layers and experts only, not {shown}", stacklevel=2)


def _is_linear(module: Any) -> bool:
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _is_factor(name: str) -> bool:
    return ".lora_A" in name or ".lora_B" in name or "lora_embedding" in name
