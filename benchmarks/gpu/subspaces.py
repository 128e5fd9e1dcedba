"""Measure the time for the subspaces of a whole 7B model, and for one of them against a full SVD, on a GPU.

python benchmarks/gpu/subspaces.py [--layers 32] [--hidden 4096] [--rank 64] [--out results/gpu_subspaces.txt]

The float32 matrices have Llama-2-7B's shapes and a decaying spectrum. They are made on the device, which is not timed.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from holdfast.training.corrections.factored.subspace import find_directions


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--layers", type=int, default=32)
    arguments.add_argument("--hidden", type=int, default=4096)
    arguments.add_argument("--rank", type=int, default=64)
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    wide = args.hidden * 11008 // 4096
    shapes = [(args.hidden, args.hidden)] * 4 + [(wide, args.hidden)] * 2 + [(args.hidden, wide)]
    made = [displacement(*shape, device) for shape in shapes]
    seconds(lambda: find_directions(made[0], "warm-up", rank=args.rank), device)
    all_layers = [d for _ in range(args.layers) for d in made]
    took = sum(
        seconds(lambda d=d, i=i: find_directions(d, f"{i}", rank=args.rank), device) for i, d in enumerate(all_layers)
    )
    slow = seconds(lambda: torch.linalg.svd(made[0], full_matrices=False), device)
    fast = took / len(all_layers)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    lines = [
        f"{args.layers} layers of {len(made)} matrices, hidden size {args.hidden}, rank {args.rank}, {name}",
        f"all subspaces: {took:.1f} s (target for a 7B model: at most 120), {fast * 1000:.0f} ms per matrix",
        f"a full SVD of one of the smallest: {slow * 1000:.0f} ms",
    ]
    print("\n".join(lines))
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", "utf-8")


def displacement(m: int, n: int, device: torch.device) -> Tensor:
    """Return a random matrix (m, n) with singular values 1/sqrt(i)."""
    small = min(m, n)
    u, v = (torch.linalg.qr(torch.randn(size, small, device=device)).Q for size in (m, n))
    return (u * torch.arange(1, small + 1, device=device) ** -0.5) @ v.T


def seconds(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
