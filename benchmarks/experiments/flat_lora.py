"""Is Flat-LoRA flatter, and does that help? Sentiment and questions on pocket-base with wrong labels, five seeds.

python benchmarks/experiments/flat_lora.py [--seeds 5] [--steps 40] [--out results/flat_lora.txt]

Every arm is trained on 240 examples, with all labels correct or 30 % wrong, and evaluated on clean examples and under
heavy perturbations that it never saw in training. Sharpness is the rise of the loss on clean examples under
row-normalised noise on the adapted matrices.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
from arms import card, difference, table, trained, written

from holdfast import evaluate
from holdfast.harness.actions.flatness import Probed
from holdfast.metrics.adapters.sharpness import expected_sharpness
from holdfast.tasks import Sample, Task
from holdfast.training.pocket import factual, sentiment
from holdfast.training.pocket.vocabulary import Example

ARMS: dict[str, dict[str, Any]] = {
    "lora": {},
    "flat_lora": {"noise": "flat_lora", "noise_args": "sigma=0.1"},
    "isotropic": {"noise": "isotropic", "noise_args": "sigma=0.1"},
    "sam_ab": {"noise": "sam_ab"},
    "sam_w": {"noise": "sam_w"},
    "full": {"full": True, "learning_rate": 2e-4},
}
SETTINGS = (("sentiment", 0.0), ("sentiment", 0.3), ("questions", 0.3))
"""The skill to learn, and the share of its labels that are wrong."""

SHIFTS = ("typos", "word_deletion", "ocr", "synonyms", "spacing")
SIGMAS = (0.05, 0.1, 0.2)
SKILLS = {"sentiment": sentiment, "questions": factual}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--steps", type=int, default=40)
    arguments.add_argument("--samples", type=int, default=60)
    arguments.add_argument(
        "--work", type=Path, default=Path("results/flat_lora"), help="where adapters and runs are stored"
    )
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    parts = [__doc__.strip().splitlines()[0], f"{args.steps} steps of 8 examples", ""]
    for skill, wrong in SETTINGS:
        folder = args.work / f"{skill}-{wrong:g}"
        found = trained(ARMS, range(args.seeds), lambda seed: examples(skill, seed, wrong), args.steps, folder)  # noqa: B023
        kept = folder / "rows.csv"
        rows = pd.read_csv(kept) if kept.exists() else measured(found, skill, args.samples, folder)
        rows.to_csv(kept, index=False)
        parts += [f"{skill}, {wrong:.0%} of the labels wrong", table(rows, "lora")]
        measures = ("clean", "shifted", *(f"rise {sigma:g}" for sigma in SIGMAS))
        parts += [difference(rows, "flat_lora", other, name) for name in measures for other in ("lora", "isotropic")]
        parts.append("")
    parts.append("time and memory per step on a larger model: results/training_speed.txt")
    text = "\n".join(parts)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def examples(skill: str, seed: int, wrong: float) -> list[Example]:
    """Make 240 examples of a skill, a share of them with another example's answer."""
    rng = Random(f"flat_lora experiment|{skill}|{seed}")
    made = [SKILLS[skill].example(rng) for _ in range(240)]
    for i in rng.sample(range(len(made)), round(wrong * len(made))):
        others = [each.answer for each in made if each.answer != made[i].answer]
        made[i] = replace(made[i], answer=rng.choice(others))
    return made


def task(skill: str, count: int) -> Task:
    """Make a task of new examples of a skill, with its plainest prompt."""
    rng = Random(f"flat_lora test|{skill}")
    made = [SKILLS[skill].example(rng) for _ in range(count)]
    samples = tuple(Sample(str(i), each.content, each.references) for i, each in enumerate(made))
    prompt = SKILLS[skill].PROMPT.replace("{content}", "{{ content }}")
    return Task(skill, samples, ("exact_match",), prompt, max_new_tokens=24)


def measured(adapters: dict[str, Path], skill: str, count: int, folder: Path) -> pd.DataFrame:
    """Return one row per arm and seed: accuracies, and the rise of the loss at each noise scale."""
    lora = [f"{name}={path}" for name, path in adapters.items() if not name.startswith("full.")]
    cells = [_cells(skill, count, "pocket-base", lora, folder / "run")]
    for name, path in adapters.items():
        if name.startswith("full."):
            alone = _cells(skill, count, str(path), ["base"], folder / f"run-{name}")
            cells.append(alone.assign(adapter=name))
    every = pd.concat(cells)
    rng = Random(f"flat_lora sharpness|{skill}")
    judged = written(folder / "judged.jsonl", [SKILLS[skill].example(rng) for _ in range(16)])
    rows = []
    for name, path in adapters.items():
        mine = every[every["adapter"] == name]
        rises = sharpness(name, path, judged)
        rows.append(
            {
                "arm": name.rpartition(".")[0],
                "seed": int(name.rpartition(".")[2]),
                "clean": mine["clean"].iloc[0],
                "shifted": mine[mine["perturbation"].isin(SHIFTS)]["perturbed"].mean(),
                **{f"rise {sigma:g}": rise for sigma, rise in zip(SIGMAS, rises, strict=True)},
                "s/step": card(path)["metrics"]["train_runtime"] / card(path)["recipe"]["arguments"]["max_steps"],
            }
        )
    return pd.DataFrame(rows)


def sharpness(name: str, path: Path, judged: Path) -> list[float]:
    """Return the expected rise of the loss at each sigma; for a fully trained model, over all its linear layers."""
    whole = name.startswith("full.")
    probed = Probed(None if whole else str(path), str(judged), str(path) if whole else "pocket-base", 16)
    return [each.rise for each in expected_sharpness(probed.loss, probed.weights, probed.norms, SIGMAS, draws=3)]


def _cells(skill: str, count: int, base: str, adapters: Sequence[str], folder: Path) -> pd.DataFrame:
    return evaluate(
        tasks=[task(skill, count)],
        model_args={"pretrained": base},
        adapters=list(adapters),
        perturbations=list(SHIFTS),
        severity=["heavy"],
        encoder="lexical",
        output_path=str(folder),
    ).breakdown


if __name__ == "__main__":
    main()
