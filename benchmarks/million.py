"""Measure the driver alone: plan, answer (by an engine that costs nothing), store and summarise a million requests.

    python benchmarks/million.py [--generations 1000000]

This is the cost of a run besides generation and drift, and so the highest rate at which one driver can feed replicas.
All answers are equal, so scoring costs only the metrics of identical texts. The peak memory comes from the kernel
(VmHWM).
"""

import argparse
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from holdfast import evaluate
from holdfast.harness.backends import Generation, Request
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.tasks import Sample, Task

CELLS = 1 + 1 + 2 * 4
"""Answers per sample and adapter: clean, repeated, and four repeats of two perturbations."""


class Instant:
    """An engine that gives the same answer to every request, 256 at a time."""

    def __init__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        pass

    def probe(self, prompts: Sequence[str]) -> dict[str, Any]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {"backend": "instant", "batch_size": 256}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[list[Generation]]:
        for start in range(0, len(requests), 256):
            yield [Generation(r.key, "The answer is 42.", 6, "stop") for r in requests[start : start + 256]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--generations", type=int, default=1_000_000)
    args = arguments.parse_args()
    adapters = 10
    count = args.generations // (CELLS * adapters)
    samples = (Sample(str(i), f"Question {i}: what does the answer to number {i} say?", ("42",)) for i in range(count))
    task = Task("many", tuple(samples), ("exact_match",))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        results = evaluate(
            tasks=[task],
            backend=Instant,
            adapters=",".join(["base", *(f"a{i}=base" for i in range(1, adapters))]),
            perturbations="typos,word_deletion",
            severity="light",
            repeats=4,
            encoder="lexical",
            min_meaning=0,
            output_path=f"{folder}/run",
        )
        took = time.perf_counter() - start
        lines = sum(1 for _ in (results.path / "samples.jsonl").open())
    print(f"{lines:,} generations in {took:.0f} s ({lines / took:.0f}/s; target: at most 600 s for a million)")
    print(f"peak {peak()} MiB (target: at most 2,048 for a million)")


def peak() -> int:
    """Return the peak memory in MiB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
