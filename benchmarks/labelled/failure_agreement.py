"""How far the rules for kinds of failures agree with labels given by reading.

    python benchmarks/labelled/failure_agreement.py [--questions nq_open_dev.jsonl --model models/smollm2]

175 wrong answers were drawn at random and labelled by one reader, the author of the rules, who had outlined them but
not written them; one rule was changed since. 100 are answers of pocket-aligned and an adapter to `factual_qa`,
75 of SmolLM2-135M-Instruct to 24 questions of NQ-open (every 150th), whose texts are not ours: only their row numbers
and labels are kept, and the model answers again if `--questions` and `--model` name both. Prints agreement, Cohen's
kappa and the confusion matrix.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from statsmodels.stats.inter_rater import cohens_kappa

import holdfast
from holdfast.metrics.failure_kinds import FAILURES, failure_kind
from holdfast.perturbations import Edit, Edits
from holdfast.tasks import Sample, Task, load_task

LABELS = Path(__file__).parents[1] / "data" / "failure_labels.jsonl"
PERTURBATIONS = "typos,spacing+punctuation,confusables,emoji"
EVERY, QUESTIONS = 150, 24


def main() -> None:
    """Compare the labels with the rules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, help="NQ-open's development set as JSONL: question, answer")
    parser.add_argument("--model", help="a checkpoint of SmolLM2-135M-Instruct (make models/smollm2)")
    args = parser.parse_args()
    labelled = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    found = {"factual_qa": list(embedded([each for each in labelled if each["source"] == "factual_qa"]))}
    if args.questions and args.model:
        mine = [each for each in labelled if each["source"] == "nq_open"]
        found["nq_open"] = list(generated(mine, args.questions, args.model))
    print("Kinds of failures: labels given by reading, and the rules\n")
    print(f"{'answers':<12} {'n':>4} {'agreement':>10} {'kappa':>6}")
    everything = [pair for pairs in found.values() for pair in pairs]
    for name, pairs in {**found, "all": everything}.items():
        agreement = sum(label == kind for label, kind in pairs) / len(pairs)
        print(
            f"{name:<12} {len(pairs):>4} {agreement:>10.3f} {cohens_kappa(table_of(pairs), return_results=False):>6.3f}"
        )
    print("\nlabel (rows) and rule (columns)")
    print(f"{'':<22}" + "".join(f"{name.split()[0]:>10}" for name in FAILURES))
    for name, row in zip(FAILURES, table_of(everything), strict=True):
        print(f"{name:<22}" + "".join(f"{count:>10}" for count in row))


def table_of(pairs: list[tuple[str, str]]) -> list[list[int]]:
    """Return the number of answers by label (rows) and kind (columns)."""
    counts = Counter(pairs)
    return [[counts[label, kind] for kind in FAILURES] for label in FAILURES]


def embedded(labelled: list[dict]) -> Iterator[tuple[str, str]]:
    """Yield the label and the rules' kind of the answers that are kept with their labels."""
    samples = {sample.id: sample for sample in load_task("factual_qa").samples}
    for each in labelled:
        sample = samples[each["sample"]]
        edits = tuple(Edit(*edit) for edit in each["edits"])
        text = Edits(sample.content, edits).text
        yield each["label"], kind_of(sample, each["output"], each["clean"], edits, text)


def generated(labelled: list[dict], questions: Path, model: str) -> Iterator[tuple[str, str]]:
    """Yield the label and the rules' kind of the answers of a model, which answers again."""
    rows = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    chosen = range(0, EVERY * QUESTIONS, EVERY)
    samples = tuple(Sample(f"nq-{i}", rows[i]["question"], tuple(rows[i]["answer"])) for i in chosen)
    with tempfile.TemporaryDirectory() as folder:
        results = holdfast.evaluate(
            model_args={"pretrained": model},
            adapters="base",
            tasks=[Task("nq", samples, ("token_f1", "exact_match", "rouge"))],
            perturbations=PERTURBATIONS,
            encoder="lexical",
            gen_kwargs="max_new_tokens=24",
            output_path=folder,
        )
        answers = {
            (row["sample"], row["perturbation"], row["severity"]): row["failure"]
            for row in results.samples.to_dict("records")
        }
    missing: Counter[str] = Counter()
    for each in labelled:
        kind = answers.get((each["sample"], each["perturbation"], each["severity"]))
        if isinstance(kind, str):
            yield each["label"], kind
        else:  # on another machine, the model may have answered rightly
            missing[each["perturbation"]] += 1
    if missing:
        print(f"left out, since the answer is right here: {dict(missing)}")


def kind_of(sample: Sample, output: str, clean: str, edits: tuple[Edit, ...], text: str) -> str:
    """Return the rules' kind of a wrong answer."""
    return failure_kind(
        output,
        sample.references,
        content=sample.content,
        clean=clean,
        edits=[(edit.position, edit.removed, edit.inserted) for edit in edits],
        text=text,
    )


if __name__ == "__main__":
    main()
