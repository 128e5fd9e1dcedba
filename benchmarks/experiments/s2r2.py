"""Does S2R2 make adapters more robust? Dialogue summaries on pocket-base.

python benchmarks/experiments/s2r2.py [--seeds 10] [--steps 150] [--arms lora,augment,...] [--out FILE]

Every arm is trained on dialogues of sixteen kinds of scene; arms that use perturbations see typos and random capitals,
light and heavy. All are evaluated on new dialogues of these scenes and of ten others (transfer), under the two
perturbations seen in training and under three others. No perturbation touches what can't be restored: the names, the
numbers and the other words that the summary copies (--protect_facts), and in evaluation the dialogue's key facts too.

Plain LoRA and the positive control, `augment`, come first. Unless augment drifts clearly less, the experiment has no
power and stops. Clean ROUGE is reported as well, since an adapter that always says the same would win on drift alone.

The measurements of each adapter are kept in the work folder: an interrupted experiment goes on, and one with more seeds
or arms adds to them. An arm with the majority of several answers as its target (F2C, arXiv 2510.14242)
is missing: long summaries have no majority.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
from arms import card, difference, table, trained

from holdfast import evaluate
from holdfast.perturbations.variants import make_variant
from holdfast.tasks import Sample, Task
from holdfast.training.loop.copied_facts import copied_facts, keeps_all
from holdfast.training.pocket import dialogue
from holdfast.training.pocket.vocabulary import Example
from holdfast.training.pocket.vocabulary import table as words

SEEN, HELD_OUT = ("typos", "case"), ("ocr", "char_deletion", "emoji")
SEVERITIES = ("light", "heavy")
TRANSFER = 10
"""The number of kinds of scenes that no adapter is trained on."""

RATE = {"learning_rate": 3e-3}
_PERTURBED = {"perturbations": ",".join(SEEN), "protect_facts": True}
_S2R2 = {**_PERTURBED, "objective": "s2r2"}
_STATES = "penalty=representation,lambda_sem=5,every=2"
ARMS: dict[str, dict[str, Any]] = {
    "lora": {},
    "augment": {**_PERTURBED, "objective": "augment"},
    "cross_entropy": {**_S2R2, "objective_args": "penalty=cross_entropy,every=2"},
    "representation": {**_S2R2, "objective_args": _STATES},
    "consistency": {**_PERTURBED, "objective": "consistency"},
    "holistic": {**_S2R2, "objective_args": f"{_STATES},rho=1"},
}
CONTROL = ("lora", "augment")
"""Plain LoRA, and what must beat it for the experiment to mean anything."""
ENOUGH = 0.1
"""The share of LoRA's drift by which the control must be lower on average, and it must be lower under every seed."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=10, help="seeds of each arm; those measured earlier count, too")
    arguments.add_argument("--steps", type=int, default=150)
    arguments.add_argument("--samples", type=int, default=24, help="dialogues of each of the two test sets")
    arguments.add_argument("--arms", type=lambda names: names.split(","), default=list(ARMS))
    arguments.add_argument("--work", type=Path, default=Path("results/s2r2"), help="folder for adapters and rows")
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    work = args.work / f"{args.steps}-steps-{args.samples}-samples"
    rows = measured(CONTROL, args.seeds, args.steps, args.samples, work)
    parts = [__doc__.strip().splitlines()[0], f"{args.steps} steps of 8 examples, {args.samples} dialogues a set", ""]
    parts += [floors(args.samples), ""]
    lower = rows.pivot(index="seed", columns="arm", values="drift seen").eval("(lora - augment) / lora")
    if (lower <= 0).any() or lower.mean() < ENOUGH:
        parts += [table(rows, "lora"), "no power: augment does not clearly drift less than LoRA"]
    else:
        others = [arm for arm in args.arms if arm not in CONTROL]
        rows = pd.concat([rows, measured(others, args.seeds, args.steps, args.samples, work)])
        parts.append(f"positive control: augment drifts {lower.mean():.0%} less than LoRA under seen perturbations")
        parts += ["", table(rows, "lora"), _seeds(rows), "", *_differences(rows, [*CONTROL[1:], *others])]
    text = "\n".join(parts)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def _seeds(rows: pd.DataFrame) -> str:
    counts = rows.groupby("arm", sort=False)["seed"].nunique()
    return "seeds: " + ", ".join(f"{arm} {count}" for arm, count in counts.items())


def _differences(rows: pd.DataFrame, arms: Sequence[str]) -> list[str]:
    measures = [name for name in rows if name.startswith(("drift", "breaks")) or name == "clean"]
    lines = []
    for other in CONTROL:
        for arm in arms:
            if arm != other:
                lines += [difference(rows, arm, other, measure) for measure in measures]
                lines.append("")
    return lines[:-1]


def train_examples(seed: int) -> list[Example]:
    """Make 400 dialogues of the training scenes."""
    rng = Random(f"s2r2 experiment|{seed}")
    scenes = words("scenes")[TRANSFER:]
    return [dialogue.make(rng, rng.choice(scenes), "practice") for _ in range(400)]


def tasks(count: int) -> list[Task]:
    """Make a task of new dialogues of the training scenes, and one of the transfer scenes."""
    prompt = dialogue.PROMPT.replace("{content}", "{{ content }}")
    return [
        Task(name, tuple(map(_sample, range(count), _dialogues(name, count))), ("rouge",), prompt, max_new_tokens=96)
        for name in ("trained", "transfer")
    ]


def _dialogues(name: str, count: int) -> list[Example]:
    scenes = words("scenes")[:TRANSFER] if name == "transfer" else words("scenes")[TRANSFER:]
    rng = Random(f"s2r2 test|{name}")
    return [dialogue.make(rng, scenes[i % len(scenes)], "heldout") for i in range(count)]


def _sample(number: int, made: Example) -> Sample:
    return Sample(str(number), made.content, made.references, {"protect": protected(made)})


def protected(made: Example) -> list[str]:
    """Return what no perturbation of a test dialogue may change."""
    copied = (copied_facts(made.content, reference) for reference in (made.answer, *made.references))
    return list(dict.fromkeys([*made.facts, *chain(*copied)]))


def floors(count: int) -> str:
    """Format how many prompts lose a fact, which no model can restore, with and without protection."""
    made = [*_dialogues("trained", count), *_dialogues("transfer", count)]
    lines = ["prompts that lose a fact of their summary: unprotected, protected (as evaluated)"]
    for kind in (*SEEN, *HELD_OUT):
        for severity in SEVERITIES:
            bare, protected = (_share_lost(made, kind, severity, protects) for protects in (False, True))
            lines.append(f"  {kind:<14}{severity:<7}{bare:>6.0%}{protected:>6.0%}")
    return "\n".join(lines)


def _share_lost(made: Sequence[Example], kind: str, severity: str, protects: bool) -> float:
    lost = 0
    for number, each in enumerate(made):
        named = {"task": "floor", "sample_id": str(number), "perturbation": kind, "severity": severity}
        facts = protected(each)
        variant = make_variant(each.content, **named, repeat=0, seed=0, protect=facts if protects else ())
        lost += not keeps_all(variant.text, [fact for fact in facts if keeps_all(each.content, [fact])])
    return lost / len(made)


def measured(arms: Iterable[str], seeds: int, steps: int, samples: int, work: Path) -> pd.DataFrame:
    """Train and evaluate every arm under the first seeds, unless that is done; return the rows of these arms."""
    rows = []
    for seed in range(seeds):
        for arm in arms:
            kept = work / f"{arm}.{seed}.json"
            if not kept.exists():
                adapter = trained({arm: {**RATE, **ARMS[arm]}}, [seed], train_examples, steps, work)[f"{arm}.{seed}"]
                kept.write_text(json.dumps({"arm": arm, "seed": seed, **measure(adapter, samples, work)}), "utf-8")
                print(kept.read_text("utf-8"), file=sys.stderr, flush=True)
    for arm in arms:
        rows += [json.loads(kept.read_text("utf-8")) for kept in sorted(work.glob(f"{arm}.*.json"))]
    return pd.DataFrame(rows)


def measure(adapter: Path, count: int, work: Path) -> dict[str, float]:
    """Return an adapter's drifts, break rates and scores, under light and heavy perturbations alike."""
    results = evaluate(
        tasks=tasks(count),
        model_args={"pretrained": "pocket-base"},
        adapters=[f"{adapter.name}={adapter}"],
        perturbations=[*SEEN, *HELD_OUT],
        severity=list(SEVERITIES),
        output_path=str(work / f"run-{adapter.name}"),
    )
    cells = results.breakdown.query("group == 'all'")
    at_home, away = cells[cells["task"] == "trained"], cells[cells["task"] == "transfer"]
    seen, held_out = (at_home[at_home["perturbation"].isin(kinds)] for kinds in (SEEN, HELD_OUT))
    strange = away[away["perturbation"].isin([*SEEN, *HELD_OUT])]
    about = card(adapter)
    return {
        "drift seen": seen["max_drift"].mean(),
        "drift held out": held_out["max_drift"].mean(),
        "drift transfer": strange["max_drift"].mean(),
        "breaks seen": seen["break_rate"].mean(),
        "breaks held out": held_out["break_rate"].mean(),
        "breaks transfer": strange["break_rate"].mean(),
        "clean": at_home["clean"].iloc[0],
        "perturbed": pd.concat([seen, held_out])["perturbed"].mean(),
        "s/step": about["metrics"]["train_runtime"] / about["recipe"]["arguments"]["max_steps"],
    }


if __name__ == "__main__":
    main()
