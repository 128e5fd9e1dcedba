"""Measure which share of the variants of real prompts the meaning filter excludes, by perturbation and severity.

    python benchmarks/meaning_filter.py [--shared ../shared] [--limit 150] [--half first|second]

Takes the questions of NQ-open and the dialogues of DialogSum, perturbs each one as `holdfast run` does, and judges the
variants at the default threshold. The filter was written with the first half of either file in view; what counts is
the second half. Character noise, layout, unicode and decoration leave a prompt readable, so of these at most 2 %
should be excluded.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from holdfast.harness.plan.sample_variants import SampleVariant, variant_of
from holdfast.harness.plan.validity import Validity
from holdfast.harness.store.config import RunConfig
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.perturbations import perturbations
from holdfast.tasks import Sample, Task

SETS = {"nq_open": ("nq_open_dev.jsonl", "question"), "dialogsum": ("dialogsum_test_dev.jsonl", "dialogue")}
SEVERITIES = ("light", "heavy")
READABLE = ("characters", "layout", "unicode", "decoration")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="the folder that contains data/")
    parser.add_argument("--limit", type=int, default=150, help="number of prompts of each data set")
    parser.add_argument("--half", choices=("first", "second"), default="second", help="half of each file to read")
    args = parser.parse_args()
    tasks = [read(name, args.shared / "data", args.half, args.limit) for name in SETS]
    threshold = RunConfig.model_fields["min_meaning"].default
    judge = Validity(threshold, tasks, encoding_of("minilm"))
    print(f"Share of variants excluded at --min_meaning {threshold}: {args.limit} prompts each, {args.half} half\n")
    print(
        f"{'family':<14}{'perturbation':<16}"
        + "".join(f"{task.name + '@' + s:>17}" for task in tasks for s in SEVERITIES)
    )
    readable: list[float] = []
    for name in sorted(perturbations.names(), key=lambda name: (perturbations.get(name).family, name)):
        family = perturbations.get(name).family
        shares = [excluded(judge, task, name, severity) for task in tasks for severity in SEVERITIES]
        readable += shares if family in READABLE else []
        print(f"{family:<14}{name:<16}" + "".join(f"{share:>17.1%}" for share in shares), flush=True)
    print(f"\nhighest share in the families {', '.join(READABLE)}: {max(readable):.1%}")


def read(name: str, folder: Path, half: str, limit: int) -> Task:
    """Return the first prompts of one half of a data set as a task."""
    file, field = SETS[name]
    lines = (folder / file).read_text("utf-8").splitlines()
    middle = len(lines) // 2
    chosen = lines[:middle] if half == "first" else lines[middle:]
    samples = [Sample(str(i), json.loads(line)[field]) for i, line in enumerate(chosen[:limit])]
    return Task(name, tuple(samples), ())


def excluded(judge: Validity, task: Task, name: str, severity: str) -> float:
    """Return the share of a task's variants that the filter excludes."""
    made: Sequence[SampleVariant] = [
        SampleVariant(task.name, sample.id, variant_of(task, sample, name, severity, 0, seed=0))
        for sample in task.samples
    ]
    return len(judge.split(made)[1]) / len(made)


if __name__ == "__main__":
    main()
