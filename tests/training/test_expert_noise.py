"""Weight noise on a mixture's experts and other bare parameters, against dense copies with the noise written in."""

import copy
import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Qwen2MoeConfig,
    Qwen2MoeForCausalLM,
)

from holdfast import train
from holdfast.training.noise.weights.ascent import SharpnessAware, matrices_under_adapter
from holdfast.training.noise.weights.parameters import adapted_parameters
from holdfast.training.noise.weights.weight_noise import WeightNoise, schedule
from tests.training.models import replace_tensors
from tests.training.tiny_checkpoint import save_tiny_model

SIZE: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
}
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
CASES = {
    "mixtral": (EXPERTS, {"target_modules": ["q_proj"]}),
    "qwen2_moe": (EXPERTS[1:], {"target_modules": ["q_proj"], "use_rslora": True}),
    "llama": (["mlp.up_proj.weight"], {"target_modules": ["q_proj"]}),
}
IDS = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(0))


def make(kind: str, targets: list[str], **settings: Any) -> Any:
    torch.manual_seed(0)
    base: nn.Module
    if kind == "mixtral":
        base = MixtralForCausalLM(MixtralConfig(**SIZE, num_local_experts=4, num_experts_per_tok=2))
    elif kind == "qwen2_moe":
        experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
        base = Qwen2MoeForCausalLM(Qwen2MoeConfig(**SIZE, **experts, shared_expert_intermediate_size=24))
    else:
        base = LlamaForCausalLM(LlamaConfig(**SIZE))
    with torch.no_grad():
        for parameter in base.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
    model = get_peft_model(base, LoraConfig(r=2, lora_alpha=6, target_parameters=targets, **settings))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_" in name:
                parameter.normal_(0, 0.3)
    return model


def run(model: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad()
    found = model(input_ids=IDS, labels=IDS)
    found.loss.backward()
    return found.logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", CASES)
def test_noise_on_parameters_equals_noise_written_into_them(kind: str) -> None:
    targets, settings = CASES[kind]
    model = make(kind, targets, **settings)
    dense = copy.deepcopy(model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    clean = run(model)[0]
    noise = WeightNoise(model, sigma=0.2, seed=5)
    with noise.step(3, 4):
        layers = {id(layer.base): layer.name for layer in noise._layers}
        assert len(layers) == 2 * 2  # in both layers: q_proj, and the experts or up_proj
        for layer in noise._layers:
            eps = noise._now[layer.name].draw(layer.weight())
            place = next(name for name, module in model.named_modules() if module is layer.base)
            target = dense.get_submodule(place)
            if hasattr(layer, "part_of"):
                layer.part_of(getattr(target, layer.parameter).data).add_(eps)
            else:
                target.weight.data.add_(eps)
        logits, gradients = run(model)
        assert torch.equal(logits, run(model)[0])
    expected, expected_gradients = run(dense)
    assert torch.allclose(logits, expected, atol=1e-4)
    assert not torch.allclose(logits, clean, atol=1e-2)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in expected_gradients.items():
        assert torch.allclose(gradients[name], gradient, atol=1e-4), name
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]), name
    assert torch.equal(run(model)[0], clean)


@pytest.mark.parametrize("kind", CASES)
def test_the_noise_is_scaled_by_the_merged_rows_of_each_expert(kind: str) -> None:
    targets, settings = CASES[kind]
    model = make(kind, targets, **settings)
    noise = WeightNoise(model, sigma=0.2)
    sigma = schedule(0.2, 3, 4)
    with noise.step(3, 4):
        for name, wrapper in model.named_modules():
            if not hasattr(wrapper, "parameter_name"):
                continue
            merged = wrapper.get_param() + wrapper.get_delta_weight("default")
            stack = merged if merged.dim() == 3 else merged[None]
            for i, matrix in enumerate(stack):
                place = f"{name}.{wrapper.parameter_name}" + (f"[{i}]" if merged.dim() == 3 else "")
                expected = sigma * matrix.norm(dim=1) / math.sqrt(matrix.shape[1])
                assert torch.allclose(noise._now[place].std, expected, rtol=1e-5), place


def test_sam_moves_the_experts_and_puts_them_back() -> None:
    model = make("mixtral", EXPERTS, target_modules=["q_proj"])
    moved = matrices_under_adapter(model)
    assert len(moved) == 2 + 2 * 2
    kept = [each.detach().clone() for each in moved]
    plain = run(model)[1]
    model.zero_grad()

    def backward() -> torch.Tensor:
        loss = model(input_ids=IDS, labels=IDS).loss
        loss.backward()
        return loss.detach()

    SharpnessAware(model, moved, 0.5).backward(backward, 0, 1)
    assert all(torch.equal(one, other) for one, other in zip(moved, kept, strict=True))
    assert not any(each.requires_grad or each.grad is not None for each in moved)
    changed = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert any(not torch.allclose(changed[name], plain[name], rtol=0.01) for name in plain if "experts" in name)


def test_removed_noise_leaves_the_modules_as_they_were() -> None:
    model = make("mixtral", EXPERTS, target_modules=["q_proj"])
    noise = WeightNoise(model, sigma=0.2)
    noise.remove()
    assert not any("forward" in vars(each.base) for each in adapted_parameters(model))


@pytest.mark.parametrize("noise", ["flat_lora", "sam_w"])
def test_training_says_what_the_noise_leaves_out(tmp_path: Path, noise: str) -> None:
    base = save_tiny_model("llama", tmp_path / "base")
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"prompt": "Where?", "completion": "There."}) + "\n")

    def warned(lora: str, out: str) -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(data, tmp_path / out, model_args=f"pretrained={base}", lora=lora, noise=noise, max_steps=1)
        return " ".join(str(each.message) for each in caught if "--noise" in str(each.message))

    said = warned("r=2,targets=q_proj+embed_tokens,modules_to_save=lm_head", "some")
    assert f"--noise {noise} perturbs linear layers and experts only" in said
    assert "model.embed_tokens (LoRA of an embedding)" in said
    assert "lm_head (trained as a whole)" in said
    assert warned("r=2,targets=q_proj", "none") == ""


def test_expert_noise_trains_a_saved_adapter(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    base = save_tiny_model("llama", tmp_path / "tokenizer")
    model = MixtralForCausalLM(
        MixtralConfig(**{**SIZE, "vocab_size": len(AutoTokenizer.from_pretrained(base))}, num_local_experts=4)
    )
    model.save_pretrained(tmp_path / "base")
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path / "base")
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"prompt": "Where?", "completion": "There."}) + "\n")
    lora = "r=2,alpha=4,targets=q_proj,target_parameters=mlp.experts.gate_up_proj+mlp.experts.down_proj"
    found = {}
    for noise in ("none", "flat_lora"):
        settings = {"noise": "flat_lora", "noise_args": "sigma=1.0"} if noise != "none" else {}
        out = train(
            data, tmp_path / noise, model_args=f"pretrained={tmp_path / 'base'}", lora=lora, max_steps=2, **settings
        )
        from peft import PeftModel

        base_model = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
        found[noise] = PeftModel.from_pretrained(base_model, out).eval()(IDS).logits
    assert not torch.equal(found["none"], found["flat_lora"])


@pytest.mark.parametrize("kind", CASES)
def test_noise_follows_experts_whose_tensors_are_replaced(kind: str) -> None:
    targets, settings = CASES[kind]
    model = make(kind, targets, **settings)
    noise = WeightNoise(model, sigma=0.2, seed=5)
    replace_tensors(model)
    with noise.step(3, 4):
        logits = run(model)[0]
    noise.remove()
    with WeightNoise(model, sigma=0.2, seed=5).step(3, 4):
        assert torch.equal(logits, run(model)[0])
