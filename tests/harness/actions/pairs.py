"""Tiny pairs of base and aligned checkpoints, in shards, and adapters on the aligned ones."""

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import nn

from holdfast.harness.cli import main
from tests.training.models import tiny, with_lora

Setting = tuple[Path, Path]
"""An aligned checkpoint, and the subspace of its pair."""


def saved_pair(folder: Path, kind: str = "llama", *, moved: float = 0.1) -> tuple[Path, Path]:
    """A model of this kind, and the same with every parameter moved at random, both in small shards."""
    base, aligned = folder / f"{kind}-base", folder / f"{kind}-aligned"
    model, _ = tiny(kind)
    model.save_pretrained(base, max_shard_size="20KB")  # type: ignore[operator]
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(moved * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(aligned, max_shard_size="20KB")  # type: ignore[operator]
    return base, aligned


def loaded(folder: Path, kind: str = "llama") -> nn.Module:
    model, _ = tiny(kind)
    return type(model).from_pretrained(folder)  # type: ignore[attr-defined, no-any-return]


def saved_adapter(aligned: Path, out: Path, kind: str = "llama", **settings: Any) -> Path:
    """A LoRA adapter on the aligned model whose factors are all filled."""
    model = with_lora(loaded(aligned, kind), **settings)
    model.peft_config["default"].base_model_name_or_path = str(aligned)
    model.save_pretrained(out, save_embedding_layers=False)
    return out


def reconfigured(adapter: Path, **changes: Any) -> Path:
    """The adapter with other values in its configuration."""
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return adapter


def command(adapter: Path, subspace: Path, out: Path, *options: str) -> int:
    return main(["correct", str(adapter), "--subspace", str(subspace), "--out", str(out), *options])


def card_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "correction_card.json").read_text()))


def merged(aligned: Path, adapter: Path, kind: str = "llama") -> dict[str, torch.Tensor]:
    """What peft makes of the adapter: the update of every module, as the merged weights have it."""
    before = {name: tensor.clone() for name, tensor in loaded(aligned, kind).state_dict().items()}
    after = PeftModel.from_pretrained(loaded(aligned, kind), str(adapter)).merge_and_unload().state_dict()
    return {name: after[name] - tensor for name, tensor in before.items()}
