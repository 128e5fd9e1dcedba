"""Tiny models of several architectures, with random weights, and LoRA adapters for them."""

from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn


def tiny(kind: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """Make a model of this kind with random weights, and a labelled batch for it."""
    import transformers as t

    torch.manual_seed(seed)
    ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(seed))
    text = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    size: dict[str, Any] = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    if kind == "llama":
        config = t.LlamaConfig(**size, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32)
        return t.LlamaForCausalLM(config).to(dtype), {**text, "labels": ids}
    if kind == "gpt2":
        config = t.GPT2Config(
            vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=32, resid_pdrop=0, attn_pdrop=0, embd_pdrop=0
        )
        return t.GPT2LMHeadModel(config).to(dtype), {**text, "labels": ids}
    if kind == "bert":
        config = t.BertConfig(**size, num_attention_heads=4, hidden_dropout_prob=0, attention_probs_dropout_prob=0)
        return t.BertForSequenceClassification(config).to(dtype), {**text, "labels": torch.tensor([0, 1])}
    if kind == "t5":
        config = t.T5Config(
            vocab_size=64,
            d_model=32,
            d_kv=8,
            d_ff=48,
            num_layers=2,
            num_heads=4,
            dropout_rate=0,
            decoder_start_token_id=0,
        )
        return t.T5ForConditionalGeneration(config).to(dtype), {**text, "labels": ids}
    assert kind == "vit"
    config = t.ViTConfig(
        image_size=16,
        patch_size=8,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_dropout_prob=0,
        attention_probs_dropout_prob=0,
    )
    pixels = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return t.ViTForImageClassification(config).to(dtype), {
        "pixel_values": pixels.to(dtype),
        "labels": torch.tensor([0, 1]),
    }


KINDS = ("llama", "gpt2", "bert", "t5", "vit")


def with_lora(model: nn.Module, rank: int = 4, seed: int = 1, **settings: Any) -> Any:
    """Add LoRA to the model's linear layers, with B filled as well, so that the adapter has an effect."""
    settings = {"target_modules": "all-linear", **settings}
    found = get_peft_model(model, LoraConfig(r=rank, lora_alpha=8, **settings))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in found.named_parameters():
        if "lora_B" in name:
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return found


def replace_tensors(model: nn.Module) -> None:
    """Put other tensors into the parameters, as moving a model to another device does."""
    for parameter in model.parameters():
        parameter.data = parameter.data * 1.5
