"""Time `holdfast check` on two finished runs, each with its own adapter, and measure its memory.

    python benchmarks/check_speed.py [--generations 100000]

The answers come from an engine that costs nothing: right, or wrong for a share of the perturbed prompts that differs
between the adapters. The check runs in a process of its own, three times; the table has the median.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from holdfast import evaluate
from holdfast.harness.backends import Generation, Request
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.tasks import Sample, Task

ANSWERS = 10
"""Answers per sample: clean, repeated, and four repeats of two perturbations."""

RIGHT, WRONG = "The night train leaves Lyon at 22:10 from platform 4.", "There is no night train from Lyon on Sundays."
CHECK = """
import sys
from pathlib import Path
from holdfast.harness.cli import main
status = main(sys.argv[1:])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
sys.exit(status)
"""
"""Checks, and prints the peak memory of its own process as its last line."""

SECONDS, MEBIBYTES = 10, 1024
"""The goal for two runs of 100,000 generations."""


class Guessing:
    """An engine that answers a share of the perturbed prompts wrongly, 256 at a time."""

    def __init__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        self.wrong = {"pocket-steady": 0.1, "pocket-narrow": 0.14}

    def probe(self, prompts: Sequence[str]) -> dict[str, Any]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {"backend": "guessing", "batch_size": 256}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[list[Generation]]:
        for start in range(0, len(requests), 256):
            yield [Generation(r.key, self._answer(r), 12, "stop") for r in requests[start : start + 256]]

    def _answer(self, request: Request) -> str:
        clean = request.prompt.startswith("Question") and request.prompt.endswith("Lyon?")
        draw = random.Random(request.prompt).random()  # the same for both adapters: their answers are correlated
        return RIGHT if clean or draw >= self.wrong[request.adapter] else WRONG


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--generations", type=int, default=100_000)
    args = arguments.parse_args()
    count = args.generations // ANSWERS
    samples = (Sample(str(i), f"Question {i}: when does train {i} leave Lyon?", (RIGHT,)) for i in range(count))
    task = Task("many", tuple(samples), ("exact_match",))
    with tempfile.TemporaryDirectory() as folder:
        for adapter in ("pocket-steady", "pocket-narrow"):
            evaluate(
                tasks=[task],
                backend=Guessing,
                adapters=adapter,
                perturbations="typos,word_deletion",
                severity="light",
                repeats=4,
                encoder="lexical",
                min_meaning=0,
                output_path=f"{folder}/{adapter}",
            )
        command = [sys.executable, "-c", CHECK, "check"]
        sides = ["--baseline", f"{folder}/pocket-steady", "--candidate", f"{folder}/pocket-narrow"]
        times = []
        for _ in range(3):
            start = time.perf_counter()
            done = subprocess.run([*command, *sides], capture_output=True, text=True)
            times.append(time.perf_counter() - start)
            assert done.returncode in (0, 1, 3), done.stderr
        peak = int(done.stdout.split()[-2]) >> 10
    print(done.stdout.splitlines()[0])
    print(f"2 x {args.generations:,} generations: {statistics.median(times):.1f} s (at most {SECONDS} wanted)")
    print(f"peak {peak} MiB (at most {MEBIBYTES:,} wanted)")


if __name__ == "__main__":
    main()
