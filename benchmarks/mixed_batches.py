"""Measure eight adapters with a few requests each on the hf backend: in mixed batches, and one after the other.

python benchmarks/mixed_batches.py [--counts 1,2,4,8] [--repeats 5] [--device cpu]

Both run the same prompts with the same settings, alternating in one process after a warm-up; the result is the median
of the ratios.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from vllm_speed import copies

from holdfast.harness.backends import Request, Settings, backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.checkpoints import find_adapters, find_base
from holdfast.tasks import load_task

ADAPTERS = 8


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--counts", default="1,2,4,8", help="numbers of requests per adapter")
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--device")
    args = arguments.parse_args()
    [pocket] = find_adapters(["pocket-steady"], find_base("pocket-aligned"))
    print(f"{ADAPTERS} adapters, greedy, at most 32 tokens; requests per second, median of {args.repeats}")
    print(f"{'for each':>8}{'one by one':>12}{'mixed':>8}{'ratio':>7}  (target: at least 2.0)")
    with tempfile.TemporaryDirectory() as folder:
        eight = copies(Path(folder), pocket, ADAPTERS)
        options = BackendOptions({"pretrained": "pocket-aligned", "dtype": "float32"}, None, args.device)
        engine: Any = backends.get("hf").build(options, eight)
        for count in map(int, args.counts.split(",")):
            alone, mixed = measured(engine, [adapter.name for adapter in eight], count, args.repeats)
            ratio = statistics.median(a / b for a, b in zip(alone, mixed, strict=True))
            rates = [ADAPTERS * count / statistics.median(taken) for taken in (alone, mixed)]
            print(f"{count:>8}{rates[0]:>12.1f}{rates[1]:>8.1f}{ratio:>7.2f}")


def measured(engine: Any, names: list[str], count: int, repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds for all requests, adapter by adapter and all at once."""
    prompts = [sample.content for sample in load_task("factual_qa").samples[:count]]
    asked = [Request(f"{i}", "", prompt, Settings(max_new_tokens=32)) for i, prompt in enumerate(prompts)]
    requests = [replace(each, key=f"{name} {each.key}", adapter=name) for name in names for each in asked]
    alone, mixed = [], []
    for number in range(repeats + 1):
        start = time.perf_counter()
        for name in names:
            list(engine.generate([request for request in requests if request.adapter == name]))
        middle = time.perf_counter()
        list(engine.generate(requests))
        if number:  # the first is a warm-up
            alone.append(middle - start)
            mixed.append(time.perf_counter() - middle)
    return alone, mixed


if __name__ == "__main__":
    main()
