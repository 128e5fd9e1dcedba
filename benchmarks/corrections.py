"""Measure the cost of corrections: CSULoRA and SafeLoRA against dense forms, subspaces against a full SVD, memory.

python benchmarks/corrections.py [--threads 2] [--out results/corrections.txt]

Random matrices with the shapes of Llama-2-7B. Times are the best of several, in one process, on the given number of
threads.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from holdfast.training.corrections import Directions, Factors, csulora
from holdfast.training.corrections.factored.projection import project_factors
from holdfast.training.corrections.factored.subspace import find_directions

HIDDEN, WIDE, LAYERS, RANK, K = 4096, 11008, 32, 16, 64
SHAPES = {
    **{f"self_attn.{name}_proj": (HIDDEN, HIDDEN) for name in "qkvo"},
    **{f"mlp.{name}_proj": (WIDE, HIDDEN) for name in ("gate", "up")},
    "mlp.down_proj": (HIDDEN, WIDE),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--depth", type=int, default=2, help="number of layers in the checkpoints on disk")
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    lines = [f"{args.threads} threads, torch {torch.__version__}", ""]
    for part in (whole_adapter, one_module, subspace, whole_model_on_gpu, safelora, lambda: memory(args.depth)):
        for line in part():
            print(line, flush=True)
            lines.append(line)
        lines.append("")
    if args.out:
        args.out.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


def whole_adapter() -> list[str]:
    """Correct all 224 modules of a 7B adapter."""
    adapter = {f"{i}.{name}": update(*shape) for i in range(LAYERS) for name, shape in SHAPES.items()}
    space = {name: orthonormal(*each.shape) for name, each in adapter.items()}
    took = {rank: best(lambda rank=rank: csulora(adapter, space, rank=rank), 3) for rank in ("keep", "exact")}
    times = ", ".join(f"{seconds:.2f} s at rank {rank}" for rank, seconds in took.items())
    return [f"CSULoRA, 7B-shaped adapter, {len(adapter)} modules, r {RANK}, k {K}: {times} (target 3 s)"]


def one_module(size: int = 2048) -> list[str]:
    """Correct one square module, against the dense form, which computes both projectors."""
    lines = [f"CSULoRA, one module {size} x {size}, r {RANK}, k {K}, against the dense form:"]
    for dtype, wanted in ((torch.float32, 1e-6), (torch.float64, 1e-10)):
        found, one = orthonormal(size, size, dtype=torch.float64), update(size, size, dtype=dtype)
        here = Directions(found.u.to(dtype), found.values.to(dtype), found.v.to(dtype), found.norm)
        fast = best(lambda one=one, here=here: csulora({"x": one}, {"x": here}, rank="exact"), 20)
        slow = best(lambda one=one, here=here: dense_csulora(one, here), 3)
        result = csulora({"x": one}, {"x": here}, rank="exact")["x"].factors.dense().double()
        exact = dense_csulora(Factors(one.a.double(), one.b.double()), found)
        error = float((result - exact).norm() / exact.norm())
        lines.append(
            f"  {str(dtype).removeprefix('torch.')}: {fast * 1000:.2f} ms and {slow * 1000:.0f} ms, {slow / fast:.0f} "
            f"times as fast (target 500); relative difference {error:.1e} (target {wanted:.0e})"
        )
    return lines


def subspace(size: int = HIDDEN) -> list[str]:
    """Compute the leading directions, against a full SVD, for a decaying spectrum and for a flat one."""
    lines = [f"subspace, {size} x {size}, k {K}, against torch.linalg.svd:"]
    bases = [torch.linalg.qr(torch.randn(size, size)).Q for _ in range(2)]
    decaying = (bases[0] * torch.arange(1, size + 1) ** -0.5) @ bases[1].T
    for name, d in (("spectrum 1/sqrt(i)", decaying), ("flat (noise)", torch.randn(size, size))):
        fast = best(lambda d=d: find_directions(d, "x", rank=K), 3)
        found = find_directions(d, "x", rank=K)
        start = time.perf_counter()
        values = torch.linalg.svd(d, full_matrices=False).S
        slow = time.perf_counter() - start
        share = float((found.u.T @ d @ found.v).pow(2).sum() / values[:K].pow(2).sum())
        lines.append(
            f"  {name}: {fast:.2f} s and {slow:.1f} s, 1/{slow / fast:.0f} of the time (target 1/20); energy "
            f"{share:.4%} of the optimum (target 99 %)"
        )
    return lines


def whole_model_on_gpu() -> list[str]:
    """Compute the subspaces of a whole 7B model with random weights, if there is a GPU."""
    if not torch.cuda.is_available():
        return ["subspace of a whole 7B model on a GPU: not measured, no GPU available (target 2 minutes)"]
    start = time.perf_counter()
    for i in range(LAYERS):
        for name, shape in SHAPES.items():
            find_directions(torch.randn(shape, device="cuda"), f"{i}.{name}", rank=K)
    torch.cuda.synchronize()
    took = time.perf_counter() - start
    return [f"subspace of a whole 7B model on {torch.cuda.get_device_name()}: {took:.1f} s (target 2 minutes)"]


def safelora() -> list[str]:
    """Correct by SafeLoRA, against the published form, which computes C (m, m) for every module."""
    lines = [
        "SafeLoRA, against the published dense form:",
        f"  {'module':<10}{'fast ms':>9}{'dense ms':>10}{'fast MiB':>10}{'dense MiB':>11}{'C B differs':>13}"
        f"{'cos differs':>13}",
    ]
    for name, (m, n) in {"q_proj": (HIDDEN, HIDDEN), "up_proj": (WIDE, HIDDEN)}.items():
        one, d = update(m, n), torch.randn(m, n) * 1e-3
        found = project_factors(one, d)
        wanted, cosine = dense_safelora(one, d)
        errors = float((found.b - wanted).norm() / wanted.norm()), abs(found.cosine - cosine)
        fast, slow = (
            best(lambda one=one, d=d: project_factors(one, d), 5),
            best(lambda one=one, d=d: dense_safelora(one, d)),
        )
        sizes = [size * 4 / 2**20 for size in ((m + n) * RANK, m * m + 2 * m * n)]
        lines.append(
            f"  {name:<10}{fast * 1000:>9.1f}{slow * 1000:>10.0f}{sizes[0]:>10.1f}{sizes[1]:>11.0f}{errors[0]:>13.1e}"
            f"{errors[1]:>13.1e}"
        )
    whole = LAYERS * sum(m * m for m, _ in SHAPES.values()) * 4 / 1e9
    lines.append(f"  all C of the 7B model at once, as published: {whole:.1f} GB; here: never computed (target 1e-5)")
    return lines


def memory(depth: int) -> list[str]:
    """Measure the peak memory of `holdfast subspace`, in a subprocess, on a sharded pair with 7B shapes."""
    with tempfile.TemporaryDirectory() as folder:
        pair = [checkpoint(Path(folder) / name, depth, seed) for seed, name in enumerate(("base", "aligned"))]
        words = ["subspace", "--rank", str(K), "--base", str(pair[0]), "--aligned", str(pair[1])]
        words += ["--out", str(Path(folder) / "s.safetensors")]
        code = f"from holdfast.harness.cli import main\nmain({words!r})\nprint(open('/proc/self/status').read())"
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        took = time.perf_counter() - start
        size = sum(file.stat().st_size for file in pair[0].iterdir()) / 1e9
    peak = int(done.stdout.split("VmHWM:")[1].split()[0]) * 1024 / 1e9
    return [
        f"holdfast subspace on two checkpoints of {size:.1f} GB (7B's shapes, {depth} layers, bf16, sharded): peak "
        f"memory {peak:.2f} GB (target 1.5 GB), {took:.0f} s including reading, hashing and writing"
    ]


def checkpoint(folder: Path, depth: int, seed: int) -> Path:
    """Write a Llama checkpoint with random bf16 weights, one shard per layer."""
    from transformers import LlamaConfig

    config = LlamaConfig(hidden_size=HIDDEN, intermediate_size=WIDE, num_hidden_layers=depth, vocab_size=32000)
    config.architectures = ["LlamaForCausalLM"]
    config.save_pretrained(folder)
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(torch.bfloat16)

    places: dict[str, str] = {}
    for i in range(depth + 1):
        prefix = f"model.layers.{i}."
        tensors = {f"{prefix}{name}.weight": drawn(*shape) for name, shape in SHAPES.items()}
        if i == depth:
            tensors = {name: drawn(32000, HIDDEN) for name in ("model.embed_tokens.weight", "lm_head.weight")}
        save_file(tensors, folder / f"model-{i}.safetensors")
        places |= dict.fromkeys(tensors, f"model-{i}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def update(m: int, n: int, dtype: torch.dtype = torch.float32) -> Factors:
    return Factors(torch.randn(RANK, n, dtype=dtype), torch.randn(m, RANK, dtype=dtype))


def orthonormal(m: int, n: int, dtype: torch.dtype = torch.float32) -> Directions:
    u, v = (torch.linalg.qr(torch.randn(size, K, dtype=dtype)).Q.contiguous() for size in (m, n))  # as in the file
    return Directions(u, torch.linspace(2, 1, K, dtype=dtype), v, norm=20.0)


def dense_csulora(one: Factors, found: Directions, strength: float = 1.0) -> Tensor:
    """Compute X* with projectors (m, m) and (n, n)."""
    w = one.dense()
    p_u, p_v = found.u @ found.u.T, found.v @ found.v.T
    i_u, i_v = torch.eye(len(p_u), dtype=w.dtype), torch.eye(len(p_v), dtype=w.dtype)
    parts = (p_u @ w @ (i_v - p_v), (i_u - p_u) @ w @ p_v, (i_u - p_u) @ w @ (i_v - p_v))
    corrected = p_u @ w @ p_v
    for part in parts:
        corrected = corrected + part / (1 + strength * part.norm() ** 2 / w.norm() ** 2)
    return corrected


def dense_safelora(one: Factors, d: Tensor) -> tuple[Tensor, float]:
    """Compute C B with C = D D^T / ||D||_F in full, and the cosine of the products, like the published code; the sums
    over m n numbers in the cosine are in float64, since float32 is off by 1e-3."""
    projected = (d @ d.T / d.norm()) @ one.b
    x, y = (projected @ one.a).flatten().double(), one.dense().flatten().double()
    return projected, float((x @ y) / (x.norm() * y.norm()))


def best(work: Callable[[], object], times: int = 2) -> float:
    """Return the shortest time of several runs, in seconds, after a warm-up."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
