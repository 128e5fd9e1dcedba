"""Measure what 2,000 steps of weight noise change in a frozen bf16 base: Holdfast's noise, and noise added in place.

python benchmarks/experiments/base_drift.py [--steps 2000] [--out results/base_drift.txt]
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.training.noise.weights.layers import adapted_layers
from holdfast.training.noise.weights.weight_noise import WeightNoise, schedule

SIGMA = 0.05


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=2000)
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    lines = [
        f"{args.steps} steps, sigma {SIGMA}, pocket-base in bfloat16, LoRA r 8 on all linear layers",
        f"{'method':<34}{'matrices changed':>18}{'relative drift':>16}",
        row("noise outside the base (Holdfast)", *ours(args.steps)),
        row("noise added and subtracted in place", *in_place(args.steps)),
    ]
    text = "\n".join(lines)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def row(name: str, changed: int, total: int, drift: float) -> str:
    return f"{name:<36}{f'{changed} of {total}':>16}{drift:>16.2e}"


def adapted() -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(find_checkpoint("pocket-base"), dtype=torch.bfloat16)
    return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))


def ours(steps: int) -> tuple[int, int, float]:
    """Take real training steps under WeightNoise, on random tokens."""
    model = adapted()
    before = {layer.name: layer.weight().clone() for layer in adapted_layers(model)}
    noise = WeightNoise(model, sigma=SIGMA)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    ids = torch.randint(10, 1000, (1, 16), generator=torch.Generator().manual_seed(0))
    for step in range(steps):
        with noise.step(step, steps):
            model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return difference(model, before)


def in_place(steps: int) -> tuple[int, int, float]:
    """Add the noise to the half-precision weights before a step and subtract it after, as the published code does."""
    model = adapted()
    layers = adapted_layers(model)
    before = {layer.name: layer.weight().clone() for layer in layers}
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        sigma = schedule(SIGMA, step, steps)
        for layer in layers:
            weight = layer.base.weight.data
            std = sigma * weight.float().norm(dim=1, keepdim=True) / weight.shape[1] ** 0.5
            noise = (torch.randn(weight.shape, generator=generator) * std).to(weight.dtype)
            weight.add_(noise)
            weight.sub_(noise)
    return difference(model, before)


def difference(model: Any, before: dict[str, torch.Tensor]) -> tuple[int, int, float]:
    """Return the number of changed matrices, the number of all matrices, and ||W' - W|| / ||W|| over all."""
    layers = adapted_layers(model)
    changed = sum(not torch.equal(layer.weight(), before[layer.name]) for layer in layers)
    moved = sum(float((layer.weight().float() - before[layer.name].float()).pow(2).sum()) for layer in layers)
    size = sum(float(weight.float().pow(2).sum()) for weight in before.values())
    return changed, len(layers), (moved / size) ** 0.5


if __name__ == "__main__":
    main()
