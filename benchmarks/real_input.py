"""Check third-party models and data: is every prompt answered and every cell scored?

    python benchmarks/real_input.py --shared ../shared [--limit 25]

For each of two story models (real Llama-format checkpoints), peft makes a LoRA adapter; then `holdfast run` evaluates
both on NQ-open questions, DialogSum dialogues and XQuAD's Hindi questions. The models can only tell stories, so the
scores mean nothing; what matters is that none is missing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

MODELS = ("stories260K", "babyllama-byte361")
PERTURBATIONS = (
    "typos,char_deletion,word_deletion,synonyms,paraphrase,spacing,punctuation,confusables,emoji,case".split(",")
)
TASKS = {
    "nq_open": """
dataset_path: {data}/nq_open_dev.jsonl
doc_to_content: question
doc_to_text: "Question: {{{{ question }}}}?\\nAnswer:"
doc_to_target: answer
metric_list: [exact_match, token_f1]
generation_kwargs: {{max_gen_toks: 16, until: ["\\n"]}}
""",
    "dialogsum": """
dataset_path: {data}/dialogsum_test_dev.jsonl
doc_to_id: id
doc_to_content: dialogue
doc_to_text: "{{{{ dialogue }}}}\\n\\nSummary:"
doc_to_target: summaries
metric_list: [rouge, entity_recall]
generation_kwargs: {{max_gen_toks: 48}}
""",
    "xquad_hindi": """
dataset_path: {data}/xquad_en_hi_qa.jsonl
doc_to_id: id
doc_to_content: question_hi
doc_to_text: "{{{{ question_hi }}}}"
doc_to_target: answer_hi
metric_list: [exact_match, token_f1]
generation_kwargs: {{max_gen_toks: 16}}
""",
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shared", type=Path, default=Path("../shared"))
    arguments.add_argument("--limit", type=int, default=25)
    args = arguments.parse_args()
    if not (args.shared / "models").is_dir():
        print(f"no models under {args.shared}: nothing to measure")
        return 0
    print(f"{'model':<20} {'task':<14} {'prompts':>8} {'answered':>9} {'scored':>7} {'cut':>5}")
    missing = 0
    for model in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            samples = run(args.shared.resolve(), model, Path(folder), args.limit)
            took = time.perf_counter() - start
        for task, rows in samples.groupby("task", sort=False):
            missing += len(rows) - int(rows["scored"].sum())
            print(
                f"{model:<20} {task:<14} {len(rows):>8} {rows['output'].notna().sum():>9} {rows['scored'].sum():>7} "
                f"{rows['truncated'].sum():>5}"
            )
        print(f"{model:<20} all            {len(samples):>8} in {took:.0f} s")
    return int(missing > 0)


def run(shared: Path, model: str, folder: Path, limit: int) -> pd.DataFrame:
    """Run `holdfast run` over all three data sets, and return the rows of its samples.jsonl."""
    make_adapter(shared / "models" / model, folder / "adapter")
    for name, text in TASKS.items():
        (folder / f"{name}.yaml").write_text(f"task: {name}" + text.format(data=shared / "data"), "utf-8")
    command = [
        *(str(Path(sys.executable).with_name("holdfast")), "run"),
        *("--model_args", f"pretrained={shared / 'models' / model}", "--adapters", f"base,{folder / 'adapter'}"),
        *("--tasks", ",".join(str(folder / f"{name}.yaml") for name in TASKS)),
        *("--perturbations", ",".join(PERTURBATIONS), "--severity", "heavy", "--limit", str(limit)),
        *("--output_path", str(folder / "run")),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = pd.DataFrame([json.loads(line) for line in (folder / "run" / "samples.jsonl").open(encoding="utf-8")])
    planned = json.loads((folder / "run" / "run.json").read_text("utf-8"))["generations"]
    assert len(rows) == planned, f"{len(rows)} answers of {planned}"
    headlines = {"nq_open": "exact_match", "dialogsum": "rougeL", "xquad_hindi": "exact_match"}
    rows["scored"] = [
        headlines[task] in scores and (name == "clean" or "max_drift" in scores)
        for task, name, scores in zip(rows["task"], rows["perturbation"], rows["scores"], strict=True)
    ]
    return rows


def make_adapter(base: Path, target: Path) -> None:
    """Make a LoRA adapter with peft whose update is not zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    adapted = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))
    for name, weights in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.05)
    adapted.save_pretrained(target)


if __name__ == "__main__":
    sys.exit(main())
