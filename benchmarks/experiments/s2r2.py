"""Does S2R2 make adapters more robust? Dialogue summaries on pocket-base.

python benchmarks/experiments/s2r2.py [--minutes 60] [--seeds 10] [--arms lora,augment,...] [--out results/s2r2.txt]

Every arm is trained on dialogues of sixteen kinds of scene; arms that use perturbations see emoji and random capitals,
light and heavy. All are evaluated on new dialogues of these scenes and of ten others (transfer), under the two
perturbations seen in training and under three others. No perturbation touches what can't be restored: the names, the
numbers and the other words that the summary copies (--protect_facts), and in evaluation the dialogue's key facts too.

Plain LoRA and the positive control, `augment`, come first. Unless augment drifts clearly less, the experiment has no
power and stops. Clean ROUGE is reported as well, since an adapter that always says the same would win on drift alone.
Learning rate and the two perturbations were chosen by this control alone, under a seed and on dialogues that are not
among those measured; the number of steps and the length of dialogues by these trials and by what they cost.

`holistic` averages over all segments instead of the worst. `consensus` is augment with other targets: of the base
model's answers to a prompt and to its perturbed forms, the one that agrees most with the others (mean ROUGE-L). It is
the form for long answers of training on the majority answer (F2C, arXiv 2510.14242).

The base has seen noise: lower case and a few typos are in every stage of pocket-base's corpus, so that no checkpoint
precedes them, and making one without them takes the whole build (39 minutes on several cores). Instead, the
perturbations seen in training are such that the corpus lacks.

The answers of every round are kept beside the table, and the same command adds as many as fit into --minutes. They are
compared when the table is made, by the drift metric of the day.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
from arms import ALPHA, card, difference, seeds_of, table, trained
from rounds import Row, Rows, digest, measure_missing, pack, unpack

from holdfast import evaluate, segment_drift
from holdfast.metrics.drift import BREAK
from holdfast.metrics.scores.text_scores import rouge
from holdfast.perturbations.variants import make_variant
from holdfast.tasks import Sample, Task
from holdfast.training.loop.copied_facts import copied_facts, keeps_all
from holdfast.training.pocket import dialogue
from holdfast.training.pocket.vocabulary import Example
from holdfast.training.pocket.vocabulary import table as words

SEEN, HELD_OUT = ("emoji", "case"), ("typos", "ocr", "spacing")
SEVERITIES = ("light", "heavy")
TRANSFER = 10
"""The number of kinds of scenes that no adapter is trained on."""

LONGEST = 220
"""The most characters of a dialogue: longer ones cost more than they tell."""

RATE = {"learning_rate": 6e-3}
_PERTURBED = {"perturbations": ",".join(SEEN), "protect_facts": True}
_S2R2 = {**_PERTURBED, "objective": "s2r2"}
ARMS: dict[str, dict[str, Any]] = {
    "lora": {},
    "augment": {**_PERTURBED, "objective": "augment"},
    "cross_entropy": {**_S2R2, "objective_args": "penalty=cross_entropy,every=2"},
    "consistency": {**_PERTURBED, "objective": "consistency"},
    "holistic": {**_S2R2, "objective_args": "penalty=cross_entropy,every=2,rho=1"},
    "consensus": {**_PERTURBED, "objective": "augment"},
    "representation": {**_S2R2, "objective_args": "penalty=representation,lambda_sem=5,every=2"},
}
CONTROL = ("lora", "augment")
"""Plain LoRA, and what must beat it for the experiment to mean anything."""
ENOUGH, FIRST = 0.2, 3
"""The share of LoRA's drift by which the control must be lower on average, and after how many seeds it is judged."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=60, help="time for this round; 0 makes the table only")
    arguments.add_argument("--seeds", type=int, default=10, help="seeds of each arm; those measured earlier count, too")
    arguments.add_argument("--steps", type=int, default=120)
    arguments.add_argument("--samples", type=int, default=24, help="dialogues of each of the two test sets")
    arguments.add_argument("--arms", type=lambda names: names.split(","), default=list(ARMS))
    arguments.add_argument("--kept", type=Path, default=Path("results/s2r2.jsonl"), help="the rows of all rounds")
    arguments.add_argument("--work", type=Path, default=Path("results/s2r2"), help="folder for adapters and answers")
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    setting = {"steps": args.steps, "samples": args.samples, "data": data_digest()}
    rows = Rows(args.kept, setting, ARMS)
    work = args.work / digest(setting)
    until = time.monotonic() + 60 * args.minutes
    measure = partial(answered, steps=args.steps, samples=args.samples, work=work)
    measure_missing(rows, CONTROL, range(min(FIRST, args.seeds)), until, measure)
    parts = [__doc__.strip().splitlines()[0], f"{args.steps} steps of 8 examples, {args.samples} dialogues a set", ""]
    parts += [floors(args.samples), ""]
    found = scored(rows.read(), args.samples)
    if control(found)[0]:
        measure_missing(rows, args.arms, range(args.seeds), until, measure)
        found = scored(rows.read(), args.samples)
    verdict = control(found)[1]
    parts += [verdict, "", table(found, "lora"), seeds_of(found), "", *_differences(found)]
    text = "\n".join(parts)
    print(text)
    if args.out:
        args.out.write_text(f"{text}\n", "utf-8")


def data_digest() -> str:
    """Return a digest of what all arms share: the examples, the learning rate and the perturbations."""
    return digest([[each.prompt for each in train_examples(0, 2)], RATE, SEEN, HELD_OUT, SEVERITIES])


def control(rows: pd.DataFrame) -> tuple[bool, str]:
    """Return whether the positive control works, and a line that says so."""
    from scipy.stats import ttest_rel

    pairs = rows.pivot(index="seed", columns="arm", values="drift seen")[list(CONTROL)].dropna()
    lower = ((pairs["lora"] - pairs["augment"]) / pairs["lora"]).mean()
    p = float(ttest_rel(pairs["lora"], pairs["augment"]).pvalue) if len(pairs) > 1 else 1.0
    line = f"augment drifts {lower:.0%} less than LoRA under seen perturbations ({len(pairs)} seeds, p {p:.2g})"
    if lower >= ENOUGH and p < ALPHA:
        return True, f"positive control: {line}"
    return False, f"no power: {line}, {ENOUGH:.0%} and p < {ALPHA} are needed"


def _differences(rows: pd.DataFrame) -> list[str]:
    measures = [name for name in rows if name.startswith(("drift", "breaks")) or name == "clean"]
    lines = []
    for other in CONTROL:
        for arm in rows["arm"].unique():
            if arm != other and (other, arm) != ("augment", "lora"):
                lines += [difference(rows, arm, other, measure) for measure in measures]
                lines.append("")
    return lines[:-1]


def train_examples(seed: int, steps: int) -> list[Example]:
    """Make dialogues of the training scenes, 8 for every step."""
    rng = Random(f"s2r2 experiment|{seed}")
    return _short_dialogues(rng, words("scenes")[TRANSFER:], "practice", 8 * steps)


def _short_dialogues(
    rng: Random, scenes: Sequence[dict[str, Any]], source: dialogue.Words, count: int
) -> list[Example]:
    """Make as many dialogues of each scene."""
    made: list[Example] = []
    while len(made) < count:
        each = dialogue.make(rng, scenes[len(made) % len(scenes)], source)
        if len(each.content) <= LONGEST:
            made.append(each)
    return made


@cache
def consensus_examples(seed: int, steps: int, work: Path) -> list[Example]:
    """Replace the summaries by the base model's answer that agrees most with its answers to the other forms."""
    made = train_examples(seed, steps)
    prompt = dialogue.PROMPT.replace("{content}", "{{ content }}")
    results = evaluate(
        tasks=[Task("consensus", tuple(map(_sample, range(len(made)), made)), ("rouge",), prompt, max_new_tokens=96)],
        model_args={"pretrained": "pocket-base"},
        adapters=["base"],
        perturbations=[*SEEN],
        severity=list(SEVERITIES),
        encoder="lexical",
        output_path=str(work / f"consensus-{seed}"),
    )
    answers = results.samples.groupby("sample")["output"].agg(list)
    return [replace(each, answer=medoid(answers[str(number)])) for number, each in enumerate(made)]


def medoid(answers: Sequence[str]) -> str:
    """Return the answer with the highest mean ROUGE-L to all of them, the first of equals."""
    count = len(answers)

    def agreement(answer: str) -> float:
        return sum(each["rougeL"] for each in rouge([answer] * count, [[other] for other in answers], [{}] * count))

    return max(answers, key=agreement)


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
    return _short_dialogues(rng, scenes, "heldout", count)


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


def answered(arm: str, seed: int, *, steps: int, samples: int, work: Path) -> Row:
    """Train an arm under a seed, and return its answers, clean and under light and heavy perturbations."""
    folder = work / "consensus" if arm == "consensus" else work
    examples = partial(consensus_examples, work=work) if arm == "consensus" else train_examples
    settings = {arm: {**RATE, **ARMS[arm]}}
    adapter = trained(settings, [seed], partial(examples, steps=steps), steps, folder)[f"{arm}.{seed}"]
    results = evaluate(
        tasks=tasks(samples),
        model_args={"pretrained": "pocket-base"},
        adapters=[f"{adapter.name}={adapter}"],
        perturbations=[*SEEN, *HELD_OUT],
        severity=list(SEVERITIES),
        encoder="lexical",
        output_path=str(work / f"run-{adapter.name}"),
    )
    rows = results.samples.query("perturbation != 'identity'")
    answers = rows[["task", "sample", "perturbation", "output"]].astype(str).values.tolist()
    return {"s/step": round(card(adapter)["metrics"]["train_runtime"] / steps, 3), "answers": pack(answers)}


def scored(rows: pd.DataFrame, samples: int) -> pd.DataFrame:
    """Replace each adapter's answers by their drifts, break rates and scores."""
    measures = [measure(unpack(packed), samples) for packed in rows["answers"]]
    return pd.concat([rows[["arm", "seed"]], pd.DataFrame(measures), rows[["s/step"]]], axis=1)


def measure(answers: list[list[str]], samples: int) -> dict[str, float]:
    """Return the mean drifts of the worst segments, the break rates, and ROUGE-L, clean and perturbed."""
    references = {(task.name, each.id): each.references for task in tasks(samples) for each in task.samples}
    frame = pd.DataFrame(answers, columns=["task", "sample", "perturbation", "output"])
    keys = list(zip(frame["task"], frame["sample"], strict=True))
    scores = rouge(frame["output"].tolist(), [references[key] for key in keys], [{}] * len(keys))
    frame["rouge"] = [each["rougeL"] for each in scores]
    is_clean = frame["perturbation"] == "clean"
    clean = frame[is_clean].set_index(["task", "sample"])["output"]
    rest = frame[~is_clean].join(clean.rename("clean output"), on=["task", "sample"])
    drifts = segment_drift(rest["clean output"].tolist(), rest["output"].tolist())
    rest["drift"] = [each.max_drift for each in drifts]
    rest["breaks"] = [float(each.break_drift >= BREAK) for each in drifts]
    at_home = rest["task"] == "trained"
    parts = {
        "seen": rest[at_home & rest["perturbation"].isin(SEEN)],
        "held out": rest[at_home & rest["perturbation"].isin(HELD_OUT)],
        "transfer": rest[~at_home],
    }
    return {
        **{f"{name} {part}": rows[name].mean() for name in ("drift", "breaks") for part, rows in parts.items()},
        "clean": frame.loc[is_clean & (frame["task"] == "trained"), "rouge"].mean(),
        "perturbed": rest.loc[at_home, "rouge"].mean(),
    }


if __name__ == "__main__":
    main()
