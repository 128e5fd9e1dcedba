"""A base and an aligned checkpoint compared: how alignment changed the weights, module by module."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.reading import check_readable, read_json

if TYPE_CHECKING:
    from torch import Tensor

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


class Checkpoint:
    """The tensors of a checkpoint, by name, in one safetensors file or in shards; each is read on demand.

    Files are opened again for each tensor, so that memory mapped for one tensor is freed together with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = _files(folder)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def read(self, name: str) -> "Tensor":
        """Return one tensor as it was saved."""
        with _open(self._files[name]) as tensors:
            found: Tensor = tensors.get_tensor(name)
        return found

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor, from the headers; raise UserError if a file is broken or lacks a tensor."""
        found: dict[str, tuple[int, ...]] = {}
        for file in dict.fromkeys(self._files.values()):
            with _open(file, "np") as tensors:
                names = set(tensors.keys())
                for name in (name for name, where in self._files.items() if where == file):
                    if name not in names:
                        raise UserError(f"{file} lacks the tensor '{name}', which {INDEX} lists: download it again")
                    found[name] = tuple(tensors.get_slice(name).get_shape())
        return found


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer: the name of its tensor in each checkpoint, and whether it is stored as (n, m), as in
    transformers' Conv1D."""

    base: str
    aligned: str
    transposed: bool


class CheckpointPair(Mapping[str, "Tensor"]):
    """The displacement D = W_aligned - W_base (m, n), float32, of every linear layer that peft can adapt, by module.

    Modules are matched by name. Biases, norms, embeddings (tied or resized) and the output head are left out; all but
    one-dimensional tensors are listed in `skipped`, by tensor name, with the reason.

    Args:
        base: Directory of the checkpoint before alignment.
        aligned: Directory of the checkpoint after alignment.
        device: Where displacements are computed.

    Raises:
        UserError: If a checkpoint can't be read, or the two differ in architecture, depth or shapes.
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
        weights = self._aligned.read(layer.aligned), self._base.read(layer.base)
        for weight, tensor in zip(weights, (layer.aligned, layer.base), strict=True):
            if not weight.is_floating_point() or weight.itemsize == 1:  # 8-bit floats have scales beside them
                raise UserError(f"'{tensor}' is quantised ({weight.dtype}): use the unquantised checkpoint")
        difference = weights[0].to(self._device, torch.float32, copy=True)
        difference.sub_(weights[1].to(self._device))
        return difference.T if layer.transposed else difference

    def _match(self, model: Any) -> None:
        """Find every linear layer's tensor in both checkpoints; raise UserError if one is missing or shapes differ."""
        base, aligned = self._base.shapes(), self._aligned.shapes()
        names = _tensor_names(model, base), _tensor_names(model, aligned)
        for name, about in _linear_layers(model).items():
            tensor = f"{name}.weight"
            if isinstance(about, str):
                self.skipped[names[1].get(tensor, tensor)] = about
                continue
            for found, checkpoint in zip(names, (self._base, self._aligned), strict=True):
                if tensor not in found:
                    raise UserError(
                        f"the checkpoints don't fit together: {checkpoint.folder} has no tensor '{tensor}'; both "
                        "must have the same architecture and depth"
                    )
            before, after = names[0][tensor], names[1][tensor]
            if base[before] != aligned[after]:
                raise UserError(
                    f"the checkpoints don't fit together: '{tensor}' is {_format_shape(base[before])} in "
                    f"{self._base.folder}, {_format_shape(aligned[after])} in {self._aligned.folder}"
                )
            self.layers[name] = Layer(before, after, about)
        covered = {layer.aligned for layer in self.layers.values()} | self.skipped.keys()
        others = {tensor: "not a linear layer" for tensor, shape in aligned.items() if len(shape) > 1}
        self.skipped |= {tensor: why for tensor, why in others.items() if tensor not in covered}
        if not self.layers:
            raise UserError(f"{self._aligned.folder} has no linear layer to compare")


def _architecture(folder: Path) -> Any:
    """Return the checkpoint's model without its weights; raise UserError if transformers doesn't know it."""
    import torch
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder)
        named = getattr(transformers, (config.architectures or [""])[0], None)
        with torch.device("meta"):
            return named(config) if named else transformers.AutoModelForCausalLM.from_config(config)
    except Exception as error:  # transformers raises whatever is in the file
        raise UserError(f"'{folder}' is not a model that transformers can load: {first_line(error)}") from None


def _linear_layers(model: Any) -> "dict[str, bool | str]":
    """Return, by module name, whether each linear layer is stored transposed, or the reason why it is skipped."""
    import torch

    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    found: dict[str, bool | str] = {}
    for name, module in model.named_modules():
        if module is head:
            found[name] = "output head"
        elif isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D":
            found[name] = type(module).__name__ == "Conv1D"
    return found


def _tensor_names(model: Any, names: Iterable[str]) -> dict[str, str]:
    """Map the model's tensor names to the checkpoint's, which may use older names or lack the base model's prefix."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightRenaming, rename_source_key

    renamings = [each for each in get_model_conversion_mapping(model) if isinstance(each, WeightRenaming)]
    own = model.state_dict()
    return {rename_source_key(name, renamings, [], model.base_model_prefix, own)[0]: name for name in names}


def _files(folder: Path) -> dict[str, Path]:
    """Return the file of every tensor."""
    index = folder / INDEX
    if index.is_file():
        found = read_json(index, "shard index")
        names = found.get("weight_map") if isinstance(found, dict) else None
        if not isinstance(names, dict) or not all(isinstance(file, str) for file in names.values()):
            raise UserError(f"{index} is not a readable shard index: download the checkpoint again")
        files = {name: folder / file for name, file in names.items()}
        for file in dict.fromkeys(files.values()):
            if not file.is_file():
                raise UserError(f"{folder} is incomplete: the shard {file.name} is missing")
        return files
    whole = folder / WHOLE
    if not whole.is_file() and (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder} is an adapter, not a whole model: merge it into its base (merge_and_unload of peft)")
    if not whole.is_file():
        raise UserError(f"{folder} has neither {WHOLE} nor {INDEX}: save the model as safetensors")
    with _open(whole, "np") as tensors:
        return dict.fromkeys(tensors.keys(), whole)


def _open(file: Path, framework: str = "pt") -> Any:
    """Open a safetensors file; names and shapes can be read as those of numpy, without importing torch."""
    from safetensors import SafetensorError, safe_open

    check_readable(file)
    try:
        return safe_open(file, framework)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file} is not a readable safetensors file ({error}): download or save it again") from None


def _format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
