"""Measure the cost of a Flat-LoRA step against plain LoRA's on a model of at least 1 B parameters, on a GPU.

python benchmarks/gpu/weight_noise.py [--hidden 2048] [--layers 22] [--tokens 2048] [--repeats 7]

Random weights, bfloat16, rank 8 on all linear layers; all methods use the same batch and alternate in one process. Peak
memory is the allocator's, above what the model itself takes; the size of a layer's largest matrix is given for
comparison.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from holdfast.training.noise.weights.ascent import SharpnessAware, matrices_under_adapter, trained_parameters
from holdfast.training.noise.weights.weight_noise import WeightNoise


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hidden", type=int, default=2048)
    arguments.add_argument("--layers", type=int, default=22)
    arguments.add_argument("--tokens", type=int, default=2048)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = adapted(args.hidden, args.layers, device)
    ids = torch.randint(0, 32000, (max(1, args.tokens // 512), min(512, args.tokens)), device=device)
    noise = WeightNoise(model, sigma=0.05)
    steps: dict[str, Callable[[], None]] = {
        "lora": lambda: step(model, ids, nullcontext()),
        "flat_lora": lambda: step(model, ids, noise.step(5, 10)),
        "sam_ab": lambda: sam(model, ids, trained_parameters(model)),
        "sam_w": lambda: sam(model, ids, matrices_under_adapter(model)),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    peaks = dict.fromkeys(steps, 0.0)
    for repeat in range(args.repeats + 1):
        for name, work in steps.items():
            took, peak = measured(work, device)
            if repeat:  # the first is a warm-up
                times[name].append(took)
                peaks[name] = max(peaks[name], peak)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    largest = max(p.numel() * p.element_size() for n, p in model.named_parameters() if "layers" in n) / 2**20
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    lines = [f"{parameters / 1e9:.2f} B parameters, {ids.numel()} tokens per step, {name}, median of {args.repeats}"]
    lines.append(f"{'method':<10}{'ms/step':>10}{'ratio':>8}{'peak MiB above the model':>26}")
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, times["lora"], strict=True))
        lines.append(f"{name:<10}{statistics.median(taken) * 1000:>10.1f}{ratio:>8.3f}{peaks[name]:>26.0f}")
    lines.append(f"targets: Flat-LoRA at most 1.030, memory at most a layer above LoRA (a matrix: {largest:.0f} MiB)")
    print("\n".join(lines))
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", "utf-8")


def adapted(hidden: int, layers: int, device: torch.device) -> Any:
    config = LlamaConfig(
        hidden_size=hidden,
        intermediate_size=int(2.75 * hidden),
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
    )
    torch.manual_seed(0)
    with device:
        model = LlamaForCausalLM(config).to(torch.bfloat16)
        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))


def step(model: Any, ids: torch.Tensor, noise: Any) -> None:
    with noise:
        model(input_ids=ids, labels=ids).loss.backward()
    model.zero_grad()


def sam(model: Any, ids: torch.Tensor, parameters: list[torch.Tensor]) -> None:
    def run() -> torch.Tensor:
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        return loss.detach()

    SharpnessAware(model, parameters, 0.05).backward(run, 0, 1)
    model.zero_grad()


def measured(work: Callable[[], None], device: torch.device) -> tuple[float, float]:
    """Return the seconds taken, and the peak memory in MiB above that before (0 without a GPU)."""
    cuda = device.type == "cuda"
    before = 0
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    start = time.perf_counter()
    work()
    if cuda:
        torch.cuda.synchronize()
    took = time.perf_counter() - start
    return took, (torch.cuda.max_memory_allocated() - before) / 2**20 if cuda else 0.0


if __name__ == "__main__":
    main()
