"""Train two adapters of a real model on real questions, evaluate them, and print the table that the README shows.

    python benchmarks/report/real_table.py --questions NQ-open.dev.jsonl [--folder results/smollm2]

Needs `models/smollm2` (`make models/smollm2`), and the development set of NQ-open as Google publishes it, lines with
`question` and `answer`: its first 400 questions, each with its first answer, are what the adapters learn from. `plain`
learns them as they are, `augment` also with their prompts perturbed. The questions of the evaluation are those of the
embedded task factual_qa, which neither has seen. Everything else is in the commands, which are printed, too.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

EXAMPLES = 400
TRAIN = (
    "train --model_args pretrained=models/smollm2,dtype=float32 --data {folder}/questions.jsonl "
    "--lora r=8,alpha=16,targets=q_proj+v_proj --learning_rate 1e-3 --num_train_epochs 1 "
    "--per_device_train_batch_size 8 --disable_tqdm true --output_path {folder}/{name}"
)
RUN = (
    "run --model_args pretrained=models/smollm2,dtype=float32 --adapters base,{folder}/plain,{folder}/augment "
    "--tasks factual_qa --perturbations typos --severity light,heavy --log_samples --output_path {folder}/run"
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--questions", type=Path, required=True)
    arguments.add_argument("--folder", default="results/smollm2")
    args = arguments.parse_args()
    write_examples(args.questions, Path(args.folder, "questions.jsonl"))
    holdfast(TRAIN.format(folder=args.folder, name="plain"), shown=False)
    holdfast(TRAIN.format(folder=args.folder, name="augment") + " --objective augment", shown=False)
    holdfast(RUN.format(folder=args.folder), shown=True)


def write_examples(questions: Path, target: Path) -> None:
    """Write the first questions with their first answers as examples to train on."""
    rows = map(json.loads, questions.read_text("utf-8").splitlines()[:EXAMPLES])
    examples = ({"prompt": f"{row['question'].capitalize()}?", "completion": row["answer"][0]} for row in rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in examples), "utf-8")


def holdfast(arguments: str, *, shown: bool) -> None:
    """Print a command and run it; what it prints itself is shown if it is the table."""
    print(f"$ holdfast {arguments}", flush=True)
    command = [str(Path(sys.executable).with_name("holdfast")), *shlex.split(arguments)]
    subprocess.run(command, check=True, stdout=None if shown else subprocess.DEVNULL)


if __name__ == "__main__":
    main()
