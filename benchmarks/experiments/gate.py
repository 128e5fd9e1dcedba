"""The positive control of every objective: can it make the answers to 8 fixed pairs of prompts agree?

python benchmarks/experiments/gate.py [--steps 20] [--arms lora,augment,...] [--jobs 2] [--out FILE]

pocket-base is trained on 8 dialogues whose perturbed prompts never change, so that nothing has to generalise; then it
answers both prompts of each. An objective that can't make more of these answers agree than plain LoRA does not teach
robustness at all, and no experiment with it means anything. The control itself must work: `augment` sees the perturbed
prompts with the right answers. Exit status 1 if it doesn't, or if an objective that should beat LoRA does not.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from arms import trained
from rounds import digest

from holdfast import evaluate
from holdfast.language.text import count_characters
from holdfast.perturbations import Edits, perturbation
from holdfast.perturbations.families.characters import typos
from holdfast.tasks import Sample, Task
from holdfast.training.pocket import dialogue
from holdfast.training.pocket.vocabulary import Example
from holdfast.training.pocket.vocabulary import table as words

SETS, PAIRS = 3, 8
ENOUGH = 14
"""Of 24 answers: as many must agree with `augment` for the control to work."""

_FIXED = {"perturbations": "fixed_typos@0.02"}
_S2R2 = {**_FIXED, "objective": "s2r2"}
_RATE = {"learning_rate": 3e-3, "lr_scheduler_type": "constant"}
ARMS: dict[str, dict[str, Any]] = {
    "lora": {},
    "augment": {**_FIXED, "objective": "augment"},
    "consistency": {**_FIXED, "objective": "consistency"},
    "s2r2 representation": {**_S2R2, "objective_args": "penalty=representation,warmup=0"},
    "s2r2 cross_entropy": {**_S2R2, "objective_args": "penalty=cross_entropy,warmup=0"},
    "s2r2 cross_entropy each step": {**_S2R2, "objective_args": "penalty=cross_entropy,every=1,warmup=0"},
    "s2r2 cross_entropy teacher": {**_S2R2, "objective_args": "penalty=cross_entropy,mode=teacher,warmup=0"},
}
FAILS = frozenset({"s2r2 representation"})
"""What is known to fail, and says so in its description."""


@perturbation("fixed_typos", family="control", light=0.02, heavy=0.02, units=count_characters)
def fixed_typos(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Mistype a text, always in the same way."""
    return typos(text, strength, Random(text), protect=protect)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--arms", type=lambda names: names.split(","), default=list(ARMS))
    arguments.add_argument("--jobs", type=int, default=2, help="adapters that are trained side by side")
    arguments.add_argument("--work", type=Path, default=Path("results/gate"), help="where adapters and runs are kept")
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    agreeing = measured(args.arms, args.steps, args.work, args.jobs)
    lines = [__doc__.splitlines()[0], f"{args.steps} steps, {SETS} sets of {PAIRS} pairs", ""]
    lines += [f"{name:<28} {sum(each):>3} of {SETS * PAIRS}   {each}" for name, each in agreeing.items()]
    failed = failures({name: sum(each) for name, each in agreeing.items()})
    lines.append(f"\nfails: {', '.join(failed)}" if failed else "\nholds")
    text = "\n".join(lines)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")
    return bool(failed)


def failures(totals: Mapping[str, int]) -> list[str]:
    """Return the control, if it doesn't work, or else the objectives that should beat LoRA and don't."""
    if totals["augment"] < ENOUGH or totals["augment"] <= totals["lora"]:
        return [f"the control: augment must make at least {ENOUGH} answers agree, and more than LoRA"]
    return [name for name in totals if name != "lora" and totals[name] <= totals["lora"] and name not in FAILS]


def measured(arms: Sequence[str], steps: int, work: Path, jobs: int) -> dict[str, list[int]]:
    """Return, for each arm, how many answers agree in each set."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        made = {
            (arm, n): pool.submit(
                trained, {name_of(arm): {**_RATE, **ARMS[arm]}}, [n], pairs, steps, work / name_of(arm)
            )
            for n in range(SETS)
            for arm in arms
        }
        adapters = {key: next(iter(each.result().values())) for key, each in made.items()}
        sets = [pool.submit(agreed, {arm: adapters[arm, n] for arm in arms}, n, work) for n in range(SETS)]
        counts = [each.result() for each in sets]
    return {arm: [count[arm] for count in counts] for arm in arms}


def name_of(arm: str) -> str:
    """Return an arm's name as that of a folder."""
    return arm.replace(" ", "_")


def pairs(number: int) -> list[Example]:
    """Make one set of dialogues with their summaries."""
    rng = Random(f"gate|{number}")
    return [dialogue.make(rng, rng.choice(words("scenes")), "practice") for _ in range(PAIRS)]


def agreed(adapters: dict[str, Path], number: int, folder: Path) -> dict[str, int]:
    """Return, for each adapter, how many perturbed prompts of a set get the answer of their clean prompt."""
    samples = [Sample(f"pair-{i}", each.prompt, (each.answer,)) for i, each in enumerate(pairs(number))]
    results = evaluate(
        tasks=[Task("pairs", tuple(samples), ("rouge",), max_new_tokens=80)],
        model_args="pretrained=pocket-base",
        adapters=[f"{name_of(arm)}={path}" for arm, path in adapters.items()],
        perturbations="fixed_typos@0.02",
        encoder="lexical",
        min_meaning=0,
        output_path=str(folder / f"run-{number}-{digest([*map(str, adapters.values())])}"),
    )
    answers = results.samples.pivot(index=["adapter", "sample"], columns="perturbation", values="output")
    same = answers["clean"] == answers["fixed_typos"]
    return {arm: int(same[name_of(arm)].sum()) for arm in adapters}


if __name__ == "__main__":
    sys.exit(main())
