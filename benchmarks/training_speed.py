"""Measure time and peak memory of a training step against plain LoRA: Flat-LoRA, the same in place, SAM.

python benchmarks/training_speed.py [--hidden 1024] [--layers 4] [--tokens 2048] [--repeats 7]

The model has random weights. All methods use the same batch and alternate in one process, on CPU; for a GPU see
gpu/weight_noise.py.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from holdfast.training.noise.weights.ascent import SharpnessAware, matrices_under_adapter, trained_parameters
from holdfast.training.noise.weights.layers import adapted_layers
from holdfast.training.noise.weights.normals import normals
from holdfast.training.noise.weights.weight_noise import WeightNoise


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hidden", type=int, default=1024)
    arguments.add_argument("--layers", type=int, default=4)
    arguments.add_argument("--tokens", type=int, default=2048)
    arguments.add_argument("--repeats", type=int, default=7)
    args = arguments.parse_args()
    model = adapted(args.hidden, args.layers)
    ids = torch.randint(0, 1000, (max(1, args.tokens // 256), 256))
    noise = WeightNoise(model, sigma=0.05)
    steps: dict[str, Callable[[], None]] = {
        "lora": lambda: step(model, ids, nullcontext()),
        "flat_lora": lambda: step(model, ids, noise.step(5, 10)),
        "in place": lambda: in_place(model, ids),
        "sam_ab": lambda: sam(model, ids, trained_parameters(model)),
        "sam_w": lambda: sam(model, ids, matrices_under_adapter(model)),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    peaks = dict.fromkeys(steps, 0.0)
    for repeat in range(args.repeats + 1):
        for name, work in steps.items():
            took, peak = measured(work)
            if repeat:  # the first is a warm-up
                times[name].append(took)
                peaks[name] = max(peaks[name], peak)
    plain = statistics.median(times["lora"])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"{parameters / 1e6:.0f} M parameters, {ids.numel()} tokens per step, {torch.get_num_threads()} threads, "
        "float32"
    )
    print(f"{'method':<12}{'ms/step':>10}{'ratio':>8}{'peak MiB':>10}")
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, times["lora"], strict=True))
        print(f"{name:<12}{statistics.median(taken) * 1000:>10.1f}{ratio:>8.3f}{peaks[name]:>10.0f}")
    print(f"plain LoRA: {plain * 1000:.1f} ms; target for Flat-LoRA: at most 1.10")


def adapted(hidden: int, layers: int) -> Any:
    config = LlamaConfig(
        vocab_size=1000,
        hidden_size=hidden,
        intermediate_size=int(2.75 * hidden),
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 64),
    )
    return get_peft_model(LlamaForCausalLM(config), LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))


def step(model: Any, ids: torch.Tensor, noise: AbstractContextManager[None]) -> None:
    with noise:
        model(input_ids=ids, labels=ids).loss.backward()
    model.zero_grad()


def in_place(model: Any, ids: torch.Tensor) -> None:
    """Take a step with noise the other way: move all weights first, and restore them from a copy afterwards."""
    layers = adapted_layers(model)
    kept = [layer.base.weight.detach().clone() for layer in layers]
    with torch.no_grad():
        for layer in layers:
            weight = layer.base.weight
            std = layer.row_norms() * (0.05 / weight.shape[1] ** 0.5)
            weight += normals(0, *weight.shape, weight.device).mul_(std[:, None]).to(weight.dtype)
    step(model, ids, nullcontext())
    with torch.no_grad():
        for layer, before in zip(layers, kept, strict=True):
            layer.base.weight.copy_(before)


def sam(model: Any, ids: torch.Tensor, parameters: list[torch.Tensor]) -> None:
    def run() -> torch.Tensor:
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        return loss.detach()

    SharpnessAware(model, parameters, 0.05).backward(run, 0, 1)
    model.zero_grad()


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds taken, and the process's peak memory in MiB, which Linux allows to be reset."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return took, int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main()
