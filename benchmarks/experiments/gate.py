"""The positive control of every objective: can it make the answers to 8 fixed pairs of prompts agree?

python benchmarks/experiments/gate.py [--steps 20] [--arms lora,augment,...] [--out FILE]

pocket-base is trained on 8 dialogues whose perturbed prompts never change, so that nothing has to generalise; then it
answers both prompts of each. An objective that can't make more of these answers agree than plain LoRA does not teach
robustness at all, and no experiment with it means anything. The control itself must work: `augment` sees the perturbed
prompts with the right answers. Exit status 1 if it doesn't, or if an objective that should beat LoRA does not.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from arms import trained

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
    arguments.add_argument("--work", type=Path, default=Path("results/gate"), help="where adapters and runs are kept")
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    arms = {name.replace(" ", "_"): {**_RATE, **ARMS[name]} for name in args.arms}
    found = trained(arms, range(SETS), pairs, args.steps, args.work)
    counts = [agreed({arm: found[f"{arm}.{n}"] for arm in arms}, n, args.work) for n in range(SETS)]
    agreeing = {arm: [count[arm] for count in counts] for arm in arms}
    lines = [__doc__.splitlines()[0], f"{args.steps} steps, {SETS} sets of {PAIRS} pairs", ""]
    lines += [f"{name:<28} {sum(each):>3} of {SETS * PAIRS}   {each}" for name, each in agreeing.items()]
    totals = {name: sum(agreeing[name.replace(" ", "_")]) for name in args.arms}
    failed = [name for name in totals if name != "lora" and totals[name] <= totals["lora"] and name not in FAILS]
    if totals["augment"] < ENOUGH or totals["augment"] <= totals["lora"]:
        failed = [f"the control: augment must make at least {ENOUGH} answers agree, and more than LoRA"]
    lines.append(f"\nfails: {', '.join(failed)}" if failed else "\nholds")
    text = "\n".join(lines)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")
    return bool(failed)


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
        adapters=[f"{name}={path}" for name, path in adapters.items()],
        perturbations="fixed_typos@0.02",
        encoder="lexical",
        min_meaning=0,
        output_path=str(folder / f"run-{number}"),
    )
    answers = results.samples.pivot(index=["adapter", "sample"], columns="perturbation", values="output")
    same = answers["clean"] == answers["fixed_typos"]
    return {name: int(same[name].sum()) for name in adapters}


if __name__ == "__main__":
    sys.exit(main())
