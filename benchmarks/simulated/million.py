"""Measure the driver alone: plan, answer (by an engine that costs nothing), store and summarise a million requests.

    python benchmarks/simulated/million.py [--generations 1000000]

This is the cost of a run besides generation and drift, and so the highest rate at which one driver can feed replicas.
All answers are equal, so scoring costs only the metrics of identical texts. The peak memory comes from the kernel
(VmHWM).
"""

import argparse
import tempfile
import time

from answering import PLAN, answering
from process_memory import mebibytes

from holdfast import evaluate
from holdfast.tasks import Sample, Task

CELLS = 1 + 1 + 2 * 4
"""Answers per sample and adapter: clean, repeated, and four repeats of two perturbations."""


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
            backend=answering(lambda request: "The answer is 42."),
            adapters=",".join(["base", *(f"a{i}=base" for i in range(1, adapters))]),
            **PLAN,
            output_path=f"{folder}/run",
        )
        took = time.perf_counter() - start
        lines = sum(1 for _ in (results.path / "samples.jsonl").open())
    print(f"{lines:,} generations in {took:.0f} s ({lines / took:.0f}/s; target: at most 600 s for a million)")
    print(f"peak {mebibytes('VmHWM')} MiB (target: at most 2,048 for a million)")


if __name__ == "__main__":
    main()
