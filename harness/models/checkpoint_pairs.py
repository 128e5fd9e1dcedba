"""A base and an aligned checkpoint side by side: what alignment changed, read module by module."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line

if TYPE_CHECKING:
    from torch import Tensor

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


class Checkpoint:
    """The tensors of a checkpoint, by name, from one safetensors file or from shards; each is read when asked for.

    Files are opened anew for each tensor: what was mapped for it leaves the memory together with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = _files(folder)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def read(self, name: str) -> "Tensor":
        """One tensor as it was saved."""
        with _opened(self._files[name]) as tensors:
            found: Tensor = tensors.get_tensor(name)
        return found

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor, from the headers; raises UserError for a file that is broken or lacks one."""
        found: dict[str, tuple[int, ...]] = {}
        for file in dict.fromkeys(self._files.values()):
            with _opened(file) as tensors:
                names = set(tensors.keys())
                for name in (name for name, where in self._files.items() if where == file):
                    if name not in names:
                        raise UserError(f"{file} lacks the tensor '{name}' that {INDEX} promises: fetch it again")
                    found[name] = tuple(tensors.get_slice(name).get_shape())
        return found


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer: its tensor's name in either checkpoint, and whether they keep it as (n, m), as transformers'
    Conv1D does."""

    base: str
    aligned: str
    transposed: bool


class CheckpointPair(Mapping[str, "Tensor"]):
    """D = W_aligned - W_base (m, n) in float32 of every linear layer that peft can adapt, by the module's name.

    Modules are matched by name; biases, norms, embeddings (tied or resized, whatever they are) and the output head have
    no part in it and are listed in `skipped`, by tensor, with the reason.
    """

    def __init__(self, base: Path, aligned: Path, device: str = "cpu") -> None:
        self._base, self._aligned, self._device = Checkpoint(base), Checkpoint(aligned), device
        self.layers: dict[str, Layer] = {}
        self.skipped: dict[str, str] = {}
        self._match(_architecture(aligned))

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, name: str) -> "Tensor":
        import torch

        layer = self.layers[name]
        weight = self._aligned.read(layer.aligned)
        if not weight.is_floating_point():
            raise UserError(f"'{layer.aligned}' is quantised: take the checkpoint before it was")
        difference = weight.to(self._device, torch.float32, copy=True)
        difference.sub_(self._base.read(layer.base).to(self._device))
        return difference.T if layer.transposed else difference

    def _match(self, model: Any) -> None:
        """Find every linear layer's tensor in both checkpoints; raises UserError where one is missing or differs."""
        base, aligned = self._base.shapes(), self._aligned.shapes()
        names = _tensors_of(model, base), _tensors_of(model, aligned)
        for name, about in _linear_layers(model).items():
            tensor = f"{name}.weight"
            if isinstance(about, str):
                self.skipped[names[1].get(tensor, tensor)] = about
                continue
            for found, checkpoint in zip(names, (self._base, self._aligned), strict=True):
                if tensor not in found:
                    raise UserError(
                        f"the checkpoints don't fit together: {checkpoint.folder} has no tensor '{tensor}'; both must "
                        "be of one architecture and depth"
                    )
            before, after = names[0][tensor], names[1][tensor]
            if base[before] != aligned[after]:
                raise UserError(
                    f"the checkpoints don't fit together: '{tensor}' is {_times(base[before])} in "
                    f"{self._base.folder}, {_times(aligned[after])} in {self._aligned.folder}"
                )
            self.layers[name] = Layer(before, after, about)
        covered = {layer.aligned for layer in self.layers.values()} | self.skipped.keys()
        others = {tensor: "not a linear layer" for tensor, shape in aligned.items() if len(shape) > 1}
        self.skipped |= {tensor: why for tensor, why in others.items() if tensor not in covered}
        if not self.layers:
            raise UserError(f"{self._aligned.folder} has no linear layer: there is nothing to compare")


def _architecture(folder: Path) -> Any:
    """The checkpoint's model without its weights; raises UserError where transformers does not know it."""
    import torch
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder)
        named = getattr(transformers, (config.architectures or [""])[0], None)
        with torch.device("meta"):
            return named(config) if named else transformers.AutoModelForCausalLM.from_config(config)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(f"'{folder}' is not a model that transformers knows: {first_line(error)}") from None


def _linear_layers(model: Any) -> "dict[str, bool | str]":
    """The linear layers by module name: whether each is kept transposed, or why it is left out."""
    import torch

    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    found: dict[str, bool | str] = {}
    for name, module in model.named_modules():
        if module is head:
            found[name] = "output head"
        elif isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D":
            found[name] = type(module).__name__ == "Conv1D"
    return found


def _tensors_of(model: Any, names: Iterable[str]) -> dict[str, str]:
    """By the model's own names of its tensors, a checkpoint's: older ones name some otherwise, and some are saved
    without the prefix of their head."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightRenaming, rename_source_key

    renamings = [each for each in get_model_conversion_mapping(model) if isinstance(each, WeightRenaming)]
    own = model.state_dict()
    return {rename_source_key(name, renamings, [], model.base_model_prefix, own)[0]: name for name in names}


def _files(folder: Path) -> dict[str, Path]:
    """The file of every tensor."""
    index = folder / INDEX
    if index.is_file():
        try:
            names: dict[str, str] = json.loads(index.read_text("utf-8"))["weight_map"]
        except (ValueError, KeyError):
            raise UserError(f"{index} is not a readable index of shards: fetch the checkpoint again") from None
        files = {name: folder / file for name, file in names.items()}
        for file in dict.fromkeys(files.values()):
            if not file.is_file():
                raise UserError(f"{folder} is incomplete: the shard {file.name} is missing")
        return files
    whole = folder / WHOLE
    if not whole.is_file():
        raise UserError(f"{folder} holds no {WHOLE} and no {INDEX}: save the model with safetensors")
    with _opened(whole) as tensors:
        return dict.fromkeys(tensors.keys(), whole)


def _opened(file: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(file, "pt")
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file} is not a readable safetensors file ({error}): fetch or save it again") from None


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
