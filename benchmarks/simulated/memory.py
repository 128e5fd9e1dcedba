"""Measure the memory that a long run keeps: 100,000 generations by an engine without a model.

    python benchmarks/simulated/memory.py [--generations 100000] [--encoder lexical]

The engine answers with text made from the prompt, so only the harness uses memory: plan, requests, embeddings, scores,
tables. The peak comes from the kernel (VmHWM) and is compared with the process before the run.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from answering import answering
from process_memory import mebibytes

from holdfast import evaluate
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task

WORDS = Path(__file__).read_text("utf-8").split()


def answer(request: Request) -> str:
    """Make three sentences of the prompt's words."""
    words = request.prompt.split()
    return " ".join(f"{' '.join(words[i : i + 12])}." for i in range(0, min(36, len(words)), 12))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--generations", type=int, default=100_000)
    arguments.add_argument("--encoder", default="lexical")
    args = arguments.parse_args()
    cells = 1 + 1 + 2 * 2 * 4  # clean, identity, two perturbations x two severities x four repeats
    adapters = 4
    samples = args.generations // (cells * adapters)
    task = Task("long", tuple(Sample(str(i), content(i), (content(i + 1),)) for i in range(samples)), ("token_f1",))
    with tempfile.TemporaryDirectory() as folder:
        warm(task, args.encoder, folder)
        before, start = mebibytes("VmRSS"), time.perf_counter()
        results = run([task], args.encoder, f"{folder}/run", repeats=4, adapters="base,a=base,b=base,c=base")
        took = time.perf_counter() - start
        lines = sum(1 for _ in (results.path / "samples.jsonl").open())
        size = (results.path / "samples.jsonl").stat().st_size >> 20
    peak = mebibytes("VmHWM")
    print(f"{lines:,} generations in {took:.0f} s ({lines / took:.0f}/s), samples.jsonl {size} MiB")
    print(f"before the run {before} MiB; peak {peak} MiB; the run kept {peak - before} MiB (target: at most 1,024)")


def warm(task: Task, encoder: str, folder: str) -> None:
    """Import and load everything once, so that only what the run keeps is counted."""
    run([Task("warm", task.samples[:2], task.metrics)], encoder, f"{folder}/warm", adapters="base")


def run(tasks: list[Task], encoder: str, output_path: str, **settings: Any) -> Any:
    settings = {"perturbations": "typos,word_deletion", "encoder": encoder, "output_path": output_path, **settings}
    return evaluate(tasks=tasks, backend=answering(answer), **settings)


def content(number: int) -> str:
    """Return a prompt of about 1,000 characters, different for each number."""
    return f"Question {number}: " + " ".join(WORDS[(number * 7 + i * i) % len(WORDS)] for i in range(150))


if __name__ == "__main__":
    main()
