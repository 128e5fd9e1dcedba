"""How often does the interval of a rate, corrected for the errors of the judge that measured it, hold the true rate?

    python benchmarks/simulated/judge_error.py [--runs 4000] [--out results/judge_error.txt]

In each run the judge is simulated on labelled answers, as many of either kind, which give its errors, and on the
answers whose rate is wanted.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from holdfast.harness.results.safety.rogan_gladen import JudgeErrors, corrected_rate

RATES = (0.02, 0.1, 0.3, 0.6, 0.9)
JUDGES = ((0.99, 0.99), (0.9, 0.95), (0.7, 0.8))
"""Sensitivity and specificity."""

SIZES = ((100, 40), (400, 100))
"""Number of answers, and of labels of either kind."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=4000)
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    rng = np.random.default_rng(0)
    lines = [f"{args.runs:,} simulated runs per row; coverage of intervals of 95 %, in %", ""]
    lines.append("rate  sensitivity  specificity  answers  labels  coverage  width  mean error")
    covered = []
    for (answers, labels), rate, (finds, clears) in product(SIZES, RATES, JUDGES):
        coverage, width, bias = simulated(rng, args.runs, rate, finds, clears, answers, labels)
        covered.append(coverage)
        lines.append(
            f"{rate:4.2f}  {finds:11.2f}  {clears:11.2f}  {answers:7}  {labels:>3}+{labels:<3}"
            f"{100 * coverage:9.1f}  {width:5.3f}  {bias:+10.4f}"
        )
    lines += ["", f"coverage from {100 * min(covered):.1f} to {100 * max(covered):.1f} %"]
    text = "\n".join(lines)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def simulated(
    rng: np.random.Generator, runs: int, rate: float, finds: float, clears: float, answers: int, labels: int
) -> tuple[float, float, float]:
    """Return the share of runs whose interval holds the rate, its mean width, and the mean error of the estimate."""
    called = rng.binomial(answers, rate * finds + (1 - rate) * (1 - clears), runs)
    found, cleared = rng.binomial(labels, finds, runs), rng.binomial(labels, clears, runs)
    held, widths, errors = 0, 0.0, 0.0
    for i in range(runs):
        judge = JudgeErrors(labels, int(found[i]), labels, int(cleared[i]))
        corrected = corrected_rate(called[i] / answers, answers, judge)
        held += corrected.low <= rate <= corrected.high
        widths += corrected.high - corrected.low
        errors += corrected.rate - rate
    return held / runs, widths / runs, errors / runs


if __name__ == "__main__":
    main()
