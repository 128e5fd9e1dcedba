"""Make adapters of the pocket model, and get answers from any backend."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from holdfast.harness.backends import Generation, Request, Settings
from holdfast.harness.backends.backend import Backend
from holdfast.harness.models.checkpoints import find_base, find_checkpoint

POCKET = find_checkpoint("pocket-base")
BASE = find_base("pocket-base")
PROMPTS = (
    "What is the capital of France?",
    "Who wrote Hamlet?",
    "Name the largest planet of the solar system, please.",
    "भारत की राजधानी क्या है?",
    "",
)
OTHER_BASES = [
    ({"hidden_size": 64}, "does not belong to this base: .* is for 64 inputs"),
    ({"num_hidden_layers": 9}, "does not belong to this base: .* which the base does not have"),
]
"""Changes to the base's configuration, and the error for an adapter that was made on such a base."""


def save_lora(folder: Path, model: Any, *, scale: float, **config: Any) -> str:
    torch.manual_seed(0)
    wrapped = get_peft_model(model, LoraConfig(**{"r": 4, "target_modules": ["q_proj", "v_proj"], **config}))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=scale) if scale else torch.nn.init.zeros_(parameter)
    wrapped.save_pretrained(folder)
    return str(folder)


def pocket() -> Any:
    return AutoModelForCausalLM.from_pretrained(POCKET, dtype="float32")


def save_two(folder: Path) -> list[str]:
    """Save two adapters of the pocket model: one on attention, one on every linear layer with its own ranks."""
    second = {"target_modules": "all-linear", "rank_pattern": {"down_proj": 2}, "use_rslora": True}
    return [
        save_lora(folder / "first", pocket(), scale=0.3),
        save_lora(folder / "second", pocket(), scale=0.2, **second),
    ]


def save_stranger(folder: Path, change: dict[str, int]) -> str:
    """Save an adapter of a base whose configuration is changed."""
    return save_lora(folder, LlamaForCausalLM(LlamaConfig.from_pretrained(POCKET, **change)), scale=0.1)


def ask(
    backend: Backend, prompts: Sequence[str], adapters: Sequence[str], **settings: Any
) -> dict[tuple[str, str], Generation]:
    chosen = Settings(**{"max_new_tokens": 12, **settings})
    requests = [Request(f"{a}/{i}", a, p, chosen) for a in adapters for i, p in enumerate(prompts)]
    by_key = {r.key: (r.adapter, r.prompt) for r in requests}
    return {by_key[g.key]: g for batch in backend.generate(requests) for g in batch}
