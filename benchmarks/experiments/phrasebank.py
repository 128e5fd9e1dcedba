"""Does Flat-LoRA help a real encoder? Financial PhraseBank on MiniLM, by the protocol of classification papers.

python benchmarks/experiments/phrasebank.py [--minutes 60] [--rows N] [--epochs 5] [--seeds 42,43,44]
    [--rates 5e-4,5e-5] [--wrong 0,0.3] [--arms lora,...] [--out results/phrasebank.txt]

Every arm is trained by `holdfast train` as a classifier of three classes, with all labels right or a share of them
wrong, at two learning rates, in batches of 8, and evaluated on 400 held-out sentences, clean and with light typos.
LoRA has rank 8 and alpha 16. Flat-LoRA is dosed; the training loss shows whether the noise reaches it at all. Sharpness
is the rise of the loss on held-out sentences under row-normalised noise of 0.1 on the adapted matrices. Arms are
compared by paired t-tests over seeds.

Sentences of similar length share a batch, and matrices are multiplied in bfloat16, which halves the time on processors
that can do so; weights and updates are float32.

The positive control is learning itself: plain LoRA must beat the majority class, else there is no power. The full
protocol (all 4,446 sentences, 5 epochs) takes about ten minutes of processor time a run (beside other programs). The
rows of every round are kept beside the table; the same command measures as many more as fit into --minutes. Needs
../shared/data and the minilm extra.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import torch
from arms import card, difference, seeds_of, table
from rounds import Row, Rows, digest, measure_missing
from torch import Tensor
from torch.func import functional_call
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from holdfast import evaluate
from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.metrics.adapters.sharpness import expected_sharpness
from holdfast.metrics.classes import class_measures, confusion_counts
from holdfast.metrics.encoders.minilm import minilm_folder
from holdfast.tasks import Sample, Task
from holdfast.training.noise.weights.layers import adapted_layers

DATA = Path(__file__).parents[2].parent / "shared/data/financial_phrasebank.jsonl"
TEST = 400
LABELS = ("negative", "neutral", "positive")
ARMS: dict[str, dict[str, Any]] = {
    "lora": {},
    "flat_lora 0.05": {"noise": "flat_lora", "noise_args": "sigma=0.05"},
    "flat_lora 0.1": {"noise": "flat_lora", "noise_args": "sigma=0.1"},
    "flat_lora 0.2": {"noise": "flat_lora", "noise_args": "sigma=0.2"},
    "flat_lora 0.5": {"noise": "flat_lora", "noise_args": "sigma=0.5"},
    "flat_lora 1": {"noise": "flat_lora", "noise_args": "sigma=1"},
    "isotropic 0.1": {"noise": "isotropic", "noise_args": "sigma=0.1"},
    "sam_ab": {"noise": "sam_ab"},
    "sam_w": {"noise": "sam_w"},
    "full": {"full": True},
}
SIGMA = 0.1
TRAINING = {
    "per_device_train_batch_size": 8,
    "train_sampling_strategy": "group_by_length",
    "bf16": True,
    "use_cpu": not torch.cuda.is_available(),
    "save_strategy": "no",
    "disable_tqdm": True,
}
"""What all arms and settings share."""


@dataclass(frozen=True)
class Setting:
    """The learning rate, the share of wrong labels, and how much is trained."""

    rate: float
    wrong: float
    rows: int
    epochs: float

    def __str__(self) -> str:
        told = f"learning rate {self.rate:g}, {self.wrong:.0%} of the labels wrong"
        return f"{told}, {self.rows} sentences, {self.epochs:g} epochs"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=60, help="time for this round; 0 makes the table only")
    arguments.add_argument("--rows", type=int, default=4446, help="sentences to train on")
    arguments.add_argument("--epochs", type=float, default=5)
    arguments.add_argument("--seeds", type=_numbers(int), default=[42, 43, 44])
    arguments.add_argument("--rates", type=_numbers(float), default=[5e-4, 5e-5])
    arguments.add_argument("--wrong", type=_numbers(float), default=[0.0, 0.3])
    arguments.add_argument("--arms", type=lambda names: names.split(","), default=list(ARMS))
    arguments.add_argument("--kept", type=Path, default=Path("results/phrasebank.jsonl"), help="the rows of all rounds")
    arguments.add_argument(
        "--work", type=Path, default=Path("results/phrasebank"), help="folder for models and answers"
    )
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    until = time.monotonic() + 60 * args.minutes
    for rate, wrong in product(args.rates, args.wrong):
        setting = Setting(rate, wrong, args.rows, args.epochs)
        measure = partial(measured, setting=setting, work=args.work)
        measure_missing(rows_of(setting, args.kept), args.arms, args.seeds, until, measure)
    parts = [__doc__.strip().splitlines()[0]]
    for setting in settings_in(args.kept):
        found = rows_of(setting, args.kept).read()
        parts += ["", f"{setting}; {seeds_of(found)}", table(found, "lora"), *_compared(found)]
    text = "\n".join(parts)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def rows_of(setting: Setting, file: Path) -> Rows:
    """Return the rows of a setting that were trained with the present `TRAINING`; earlier ones don't compare."""
    return Rows(file, {**asdict(setting), "training": digest(TRAINING)}, ARMS)


def settings_in(file: Path) -> list[Setting]:
    """Return the settings of which a file has rows, the largest first."""
    lines = map(json.loads, file.read_text("utf-8").splitlines()) if file.exists() else ()
    found = {Setting(*(line[each.name] for each in fields(Setting))) for line in lines}
    return sorted(
        (each for each in found if not rows_of(each, file).read().empty),
        key=lambda each: (-each.rows * each.epochs, each.rate, each.wrong),
    )


def _numbers(kind: type) -> Any:
    return lambda text: [kind(part) for part in text.split(",")]


def _compared(rows: pd.DataFrame) -> list[str]:
    """Return the verdict on power, and every arm's difference from LoRA."""
    majority = max(pd.Series([row["label"] for row in sentences()[:TEST]]).value_counts(normalize=True))
    learned = rows.loc[rows["arm"] == "lora", "accuracy"].mean()
    if not learned > majority + 0.05:
        return [f"no power: LoRA's accuracy {learned:.3f} is hardly above the majority class, {majority:.3f}"]
    lines = [f"positive control: LoRA's accuracy {learned:.3f} is above the majority class, {majority:.3f}"]
    if rows["seed"].nunique() < 2:
        return [*lines, "one seed: no test is possible"]
    others = [arm for arm in rows["arm"].unique() if arm != "lora"]
    measures = ("accuracy", "weighted F1", "typos: accuracy", "typos: F1", "rise")
    return lines + [difference(rows, arm, "lora", measure) for arm in others for measure in measures]


def sentences() -> list[dict[str, str]]:
    """Read the sentences, each once, in a random order that never changes; the first TEST of them are held out."""
    lines = DATA.read_text("utf-8").splitlines()
    rows = list({row["text"]: row for row in map(json.loads, lines)}.values())
    Random("phrasebank").shuffle(rows)
    return rows


def train_rows(seed: int, setting: Setting) -> list[dict[str, str]]:
    """Draw the sentences to train on, a share of them with another label."""
    rng = Random(f"phrasebank|{seed}")
    drawn = rng.sample(sentences()[TEST:], min(setting.rows, len(sentences()) - TEST))
    wrong = set(rng.sample(range(len(drawn)), round(setting.wrong * len(drawn))))
    return [
        {**row, "label": rng.choice([label for label in LABELS if label != row["label"]])} if at in wrong else row
        for at, row in enumerate(drawn)
    ]


def measured(arm: str, seed: int, *, setting: Setting, work: Path) -> Row:
    """Train and measure one run."""
    folder = work / digest([asdict(setting), ARMS[arm]])  # what another recipe trained isn't taken for this one
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"train-{seed}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in train_rows(seed, setting)), "utf-8")
    out = folder / f"{arm.replace(' ', '-')}.{seed}"
    settings = {
        "model": f"pretrained={minilm_folder()}",
        "data": str(data),
        "output_dir": str(out),
        "seed": seed,
        "num_train_epochs": setting.epochs,
        "learning_rate": setting.rate,
        **TRAINING,
        **ARMS[arm],
    }
    if not (out / "training_card.json").exists():
        train_adapter(make_recipe_of({}, settings, []))
    return {name: round(value, 5) for name, value in measure(arm, out).items()}


def measure(arm: str, out: Path) -> dict[str, float]:
    """Return accuracy and weighted F1, clean and mistyped, the recall of each class, sharpness and training loss."""
    whole = arm == "full"
    held_out = [Sample(str(i), row["text"], (row["label"],)) for i, row in enumerate(sentences()[:TEST])]
    results = evaluate(
        tasks=[Task("phrasebank", tuple(held_out), ("label_accuracy",))],
        model_args={"pretrained": str(out) if whole else str(minilm_folder())},
        adapters=["base"] if whole else [f"trained={out}"],
        perturbations="typos",
        severity="light",
        encoder="lexical",
        output_path=str(out.with_name(f"run-{out.name}")),
    )
    found: dict[str, float] = {}
    right = {sample.id: LABELS.index(sample.references[0]) for sample in held_out}
    for condition, prefix, short in (("clean", "accuracy", "weighted F1"), ("typos", "typos: accuracy", "typos: F1")):
        mine = results.samples[results.samples["perturbation"] == condition]
        said = [LABELS.index(output) for output in mine["output"]]
        counts = confusion_counts([right[sample] for sample in mine["sample"].astype(str)], said, len(LABELS))
        measures = class_measures(counts)
        found |= {prefix: measures["accuracy"], short: measures["weighted_f1"]}
        if condition == "clean":
            recalls = counts.diagonal() / counts.sum(1).clip(min=1)
            found |= {f"recall {label}": float(value) for label, value in zip(LABELS, recalls, strict=True)}
    return {**found, "rise": sharpness(out, whole), "train loss": card(out)["metrics"]["train_loss"]}


def sharpness(out: Path, whole: bool) -> float:
    """Return the expected rise of the loss on 64 held-out sentences under noise on the adapted matrices."""
    from peft import PeftModel

    base = out if whole else minilm_folder()
    model: Any = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(LABELS))
    model = (model if whole else PeftModel.from_pretrained(model, str(out))).eval()
    rows = sentences()[:64]
    batch = AutoTokenizer.from_pretrained(base)([row["text"] for row in rows], padding=True, return_tensors="pt")
    labels = torch.tensor([LABELS.index(row["label"]) for row in rows])
    layers = {layer.name: layer for layer in adapted_layers(model, all_linear=whole)}
    places = {id(parameter): name for name, parameter in model.named_parameters()}

    def loss(weights: Mapping[str, Tensor]) -> Tensor:
        replaced = {places[id(layers[name].base.weight)]: weight for name, weight in weights.items()}
        return torch.nn.functional.cross_entropy(functional_call(model, replaced, kwargs=dict(batch)).logits, labels)

    weights = {name: layer.weight() for name, layer in layers.items()}
    norms = {name: layer.row_norms() for name, layer in layers.items()}
    return expected_sharpness(loss, weights, norms, (SIGMA,), draws=3)[0].rise


if __name__ == "__main__":
    main()
