"""Time `holdfast check` on two finished runs, each with its own adapter, and measure its memory.

    python benchmarks/simulated/check_speed.py [--generations 100000]

The answers are simulated: right, or wrong for a share of the perturbed prompts that differs
between the adapters. The check runs in a process of its own, three times; the table has the median.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time

from answering import PLAN, answering
from process_memory import COMMAND, peak_printed

from holdfast import evaluate
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task

ANSWERS = 10
"""Answers per sample: clean, repeated, and four repeats of two perturbations."""

RIGHT, WRONG = "The night train leaves Lyon at 22:10 from platform 4.", "There is no night train from Lyon on Sundays."
WRONG_SHARE = {"pocket-steady": 0.1, "pocket-narrow": 0.14}
"""The share of perturbed prompts that each adapter answers wrongly."""

SECONDS, MEBIBYTES = 10, 1024
"""The goal for two runs of 100,000 generations."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--generations", type=int, default=100_000)
    args = arguments.parse_args()
    count = args.generations // ANSWERS
    samples = (Sample(str(i), f"Question {i}: when does train {i} leave Lyon?", (RIGHT,)) for i in range(count))
    task = Task("many", tuple(samples), ("exact_match",))
    with tempfile.TemporaryDirectory() as folder:
        for adapter in WRONG_SHARE:
            evaluate(
                tasks=[task],
                backend=answering(answer),
                adapters=adapter,
                **PLAN,
                output_path=f"{folder}/{adapter}",
            )
        command = [sys.executable, "-c", COMMAND, "check"]
        sides = ["--baseline", f"{folder}/pocket-steady", "--candidate", f"{folder}/pocket-narrow"]
        times = []
        for _ in range(3):
            start = time.perf_counter()
            done = subprocess.run([*command, *sides], capture_output=True, text=True)
            times.append(time.perf_counter() - start)
            assert done.returncode in (0, 1, 3), done.stderr
        peak = peak_printed(done.stdout)
    print(done.stdout.splitlines()[0])
    print(f"2 x {args.generations:,} generations: {statistics.median(times):.1f} s (at most {SECONDS} wanted)")
    print(f"peak {peak} MiB (at most {MEBIBYTES:,} wanted)")


def answer(request: Request) -> str:
    clean = request.prompt.startswith("Question") and request.prompt.endswith("Lyon?")
    draw = random.Random(request.prompt).random()  # the same for both adapters: their answers are correlated
    return RIGHT if clean or draw >= WRONG_SHARE[request.adapter] else WRONG


if __name__ == "__main__":
    main()
