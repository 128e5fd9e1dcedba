"""Read peft LoRA adapters as factors, and write factors as peft LoRA adapters."""

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.models.adapter_checks import (
    CONFIG,
    PICKLED,
    PREFIX,
    WEIGHTS,
    check_adapter,
    check_weights,
    is_target,
    not_finite,
    owner_of,
    read_config,
)
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from holdfast.reading import check_readable
from holdfast.training.corrections.factored.factors import Factors
from holdfast.writing import atomic_path, check_free, saving

if TYPE_CHECKING:
    from torch import Tensor

_LINEAR, _EMBEDDING = (".lora_A.weight", ".lora_B.weight"), (".lora_embedding_A", ".lora_embedding_B")
"""How peft names the factors A and B; an embedding's update is s B A of shape (size, vocabulary)."""

_MAGNITUDE = ".lora_magnitude_vector"

_REFUSED = {
    "use_dora": "is a DoRA adapter: its update is scaled by magnitudes, so it is not a product of two factors",
    "use_qalora": "is a QALoRA adapter: its inputs are pooled, so its update is not a product of two factors",
}


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """A LoRA adapter on disk: its configuration, the factors of every module, and its other tensors."""

    path: Path
    config: Mapping[str, Any]
    factors: Mapping[str, Factors]
    others: "Mapping[str, Tensor]"
    """Tensors other than factors (modules_to_save, biases, trained tokens, magnitudes), by their key in the file."""
    embeddings: frozenset[str] = frozenset()
    """The modules among `factors` that are embeddings."""
    experts: Mapping[str, Sequence[Factors]] = field(default_factory=dict)
    """The factors of parameters (`target_parameters`), one for each matrix of a stack; their tensors are `others`."""

    @property
    def digest(self) -> str:
        """The SHA-256 of weights and configuration."""
        return digest_of(self.path)


def read_adapter(name: str, *, allow_pickle: bool = False, allow_magnitudes: bool = False) -> AdapterFiles:
    """Read a LoRA adapter.

    The scale of each module is peft's: alpha / r, or alpha / sqrt(r) with rsLoRA, after `rank_pattern` and
    `alpha_pattern`.

    Args:
        name: A peft directory, a hub name or a shipped adapter.
        allow_pickle: Also read pickled weights (adapter_model.bin).
        allow_magnitudes: Also read a DoRA adapter, whose update is more than the product of its factors.

    Raises:
        UserError: If it isn't a LoRA adapter, its update isn't a product of two factors, its files are broken, its
            weights contain NaN or infinity, or they are pickled and `allow_pickle` is off.
    """
    folder = find_checkpoint(name, "adapter")
    config = _config(folder, name, allow_magnitudes)
    factors: dict[str, Factors] = {}
    embeddings: set[str] = set()
    experts: dict[str, list[Factors]] = {}
    kept: dict[str, Tensor] = {}
    tensors = _tensors(folder, name, allow_pickle)
    for key, (down, up) in [
        (key, names) for key in tensors for names in (_LINEAR, _EMBEDDING) if key.endswith(names[0])
    ]:
        stem = key.removesuffix(down)
        a, b = tensors.pop(key), tensors.pop(stem + up, None)
        module = stem.removeprefix(PREFIX)
        if a.dim() != 2 or b is None or b.dim() != 2 or b.shape[1] != len(a) or not len(a):
            raise UserError(f"adapter '{name}': the factors of '{module}' must be two matrices of the same rank")
        a, b = _computable(a), _computable(b)
        if not (a.isfinite().all() and b.isfinite().all()):
            raise UserError(not_finite(name, module))
        if parameters := _parameters_of(config, module):
            experts[module] = _split(name, config, module, parameters, Factors(a, b))
            kept |= {key: a, stem + up: b}
            continue
        factors[module] = Factors(a, b, _alpha(config, module) / _divisor(config, len(a)))
        if down == _EMBEDDING[0]:
            embeddings.add(module)
    left = [key for key in tensors if ".lora_" in key and not (key.endswith("lora_B.bias") or _MAGNITUDE in key)]
    if left:
        raise UserError(f"adapter '{name}': '{left[0]}' adapts something other than a linear layer")
    if not factors and not experts:
        raise UserError(f"adapter '{name}' has no LoRA factors: it changes nothing")
    return AdapterFiles(folder, config, factors, tensors | kept, frozenset(embeddings), experts)


def write_adapter(
    source: AdapterFiles, factors: Mapping[str, Factors], target: Path, documents: Mapping[str, str]
) -> None:
    """Write a copy of `source` with new factors; the directory appears at `target` complete or not at all.

    Scales are kept. If ranks changed, r, lora_alpha and the patterns are updated in the form that peft and vLLM read.

    Args:
        source: The adapter to copy.
        factors: The new factors, by module name.
        target: The directory to write; must not exist, or must be empty.
        documents: Text of further files to write into it, by file name.

    Raises:
        UserError: If `target` exists or can't be written.
    """
    from safetensors.torch import save_file

    tensors = dict(source.others)
    for module, each in factors.items():
        down, up = _EMBEDDING if module in source.embeddings else _LINEAR
        tensors |= {PREFIX + module + down: each.a.contiguous(), PREFIX + module + up: each.b.contiguous()}
    check_free(target)
    with atomic_path(target) as temporary:
        temporary.mkdir()
        with saving(target):
            save_file(tensors, temporary / WEIGHTS, {"format": "pt"})
        config = _with_ranks(source, factors)
        (temporary / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
        for name, text in documents.items():
            (temporary / name).write_text(text, "utf-8")
        for file in source.path.glob("*token*"):
            if file.is_file():
                shutil.copy(file, temporary)


def _parameters_of(config: Mapping[str, Any], module: str) -> list[str]:
    """Return the full names of the parameters of this module that `target_parameters` names."""
    owner, found = owner_of(module), []
    for each in config.get("target_parameters") or ():
        place, _, parameter = str(each).rpartition(".")
        if is_target(owner, [place]):
            found.append(f"{owner}.{parameter}")
    return found


def _split(
    name: str, config: Mapping[str, Any], module: str, parameters: Sequence[str], whole: Factors
) -> list[Factors]:
    """Return the factors of each matrix of a stack, of which peft keeps A as (experts r, n), B as (m, r experts).

    Which of a module's parameters a wrapper belongs to shows only in the model, so they must have one rank and alpha.
    """
    settings = {(_rank(config, each), _alpha(config, each)) for each in parameters}
    rank, alpha = max(settings)
    if len(settings) > 1 or rank < 1 or whole.rank % rank:
        raise UserError(
            f"adapter '{name}': the parameters of '{owner_of(module)}' (target_parameters) must have one rank and "
            f"alpha in its {CONFIG}, and a rank that divides that of their factors, {whole.rank}"
        )
    count = whole.rank // rank
    a, b = whole.a.reshape(count, rank, -1), whole.b.reshape(len(whole.b), rank, count)
    return [Factors(a[i], b[:, :, i], alpha / _divisor(config, rank)) for i in range(count)]


def _rank(config: Mapping[str, Any], module: str) -> int:
    return int(_by_pattern(config, "rank_pattern", module, config["r"]))


def _computable(tensor: "Tensor") -> "Tensor":
    """Return 8-bit floats as float32, which holds the same numbers, since torch hardly computes with them."""
    return tensor.float() if tensor.itemsize == 1 else tensor


def _alpha(config: Mapping[str, Any], module: str) -> float:
    return float(_by_pattern(config, "alpha_pattern", module, config["lora_alpha"]))


def _by_pattern(config: Mapping[str, Any], setting: str, module: str, default: Any) -> Any:
    """Return one module's setting: the first pattern that matches a dot-separated suffix of its name (as in peft)."""
    patterns = config.get(setting) or {}
    return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", module)), default)


def _divisor(config: Mapping[str, Any], rank: int) -> float:
    return math.sqrt(rank) if config.get("use_rslora") else rank


def _with_ranks(source: AdapterFiles, factors: Mapping[str, Factors]) -> dict[str, Any]:
    """Return the configuration for new factors: the commonest rank and alpha, and patterns for the other modules."""
    config = dict(source.config)
    if all(each.rank == source.factors[name].rank for name, each in factors.items()):
        return config
    alphas = {name: _as_int_if_whole(each.scale * _divisor(config, each.rank)) for name, each in factors.items()}
    [(rank, _)] = Counter(each.rank for each in factors.values()).most_common(1)
    [(alpha, _)] = Counter(alphas.values()).most_common(1)
    if source.experts:  # whose names no pattern tells: rank and alpha stay theirs, also as patterns
        ranks = {name: each.rank for name, each in factors.items()}
        return config | {
            "rank_pattern": ranks | _without(config.get("rank_pattern"), ranks),
            "alpha_pattern": alphas | _without(config.get("alpha_pattern"), alphas),
        }
    return config | {
        "r": rank,
        "lora_alpha": alpha,
        "rank_pattern": {name: each.rank for name, each in factors.items() if each.rank != rank},
        "alpha_pattern": {name: value for name, value in alphas.items() if value != alpha},
    }


def _without(patterns: Mapping[str, Any] | None, names: Collection[str]) -> dict[str, Any]:
    return {pattern: value for pattern, value in (patterns or {}).items() if pattern not in names}


def _as_int_if_whole(value: float) -> float | int:
    value = round(value, 9)
    return int(value) if value.is_integer() else value


def _config(folder: Path, name: str, allow_magnitudes: bool) -> dict[str, Any]:
    check_adapter(name, folder)
    config = read_config(name, folder)
    if config.get("peft_type") != "LORA":
        raise UserError(
            f"'{name}' is a {config.get('peft_type')} adapter: expected LoRA, whose update is a product of factors"
        )
    for setting, why in _REFUSED.items():
        if config.get(setting) and not (setting == "use_dora" and allow_magnitudes):
            raise UserError(f"adapter '{name}' {why}")
    return config


def _tensors(folder: Path, name: str, allow_pickle: bool) -> "dict[str, Tensor]":
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = folder / WEIGHTS
    if file.exists():
        check_readable(file)
        try:
            return dict(load_file(file))
        except (SafetensorError, OSError) as error:
            raise UserError(f"{file} is not a readable safetensors file ({error}): save the adapter again") from None
    pickled = folder / PICKLED
    try:
        check_weights(name, folder)
    except UserError as error:
        if not pickled.exists():
            raise
        if not allow_pickle:
            raise UserError(f"{error}; correct reads it with --allow_pickle") from None
    import torch

    try:
        tensors = dict(torch.load(pickled, map_location="cpu", weights_only=True))
    except Exception as error:  # unpickling can raise anything
        raise UserError(f"{pickled} can't be read ({type(error).__name__}): save the adapter again") from None
    if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in tensors.items()):
        raise UserError(f"{pickled} holds something other than named tensors: save the adapter again")
    return tensors
