"""Mistakes in flags and missing files are told before torch, transformers or spaCy are imported."""

import json
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "train DATA --learning_rat 1": "unknown setting 'learning_rat'",
    "train DATA --learning_rate x": "learning_rate must be a number",
    "train DATA --lr_scheduler_type cosin": "lr_scheduler_type: unknown 'cosin'; did you mean 'cosine'?",
    "train DATA --optim adamm": "optim: unknown 'adamm'",
    "train DATA --gradient_accumulation_steps 1.5": "gradient_accumulation_steps must be a whole number, got 1.5",
    "train DATA --label_smoothing_factor 2": "label_smoothing_factor must be >= 0 and < 1, got 2",
    "train DATA --report_to nowhere": "report_to: unknown 'nowhere'",
    "train DATA --lora bogus=1": "--lora: unknown setting 'bogus'",
    "train DATA --noise flat_lorra": "unknown noise 'flat_lorra'",
    "train DATA --objective s2r2 --objective_args rho=3": "rho must be <= 1, got 3",
    "train DATA --model_args pretrained=./nope": "model './nope' not found",
    "train DATA --model_args pocket-steady": "'pocket-steady' is an adapter, not a model",
    "train DATA --eval_data nope.jsonl": "file 'nope.jsonl' does not exist",
    "train --data ROWS --output_path ROWS": "is a file: name a directory",
    "train --data ROWS --output_path .": "holds files that no training run wrote (rows.jsonl)",
    "pocket build --output_path .": "'.' already exists and isn't empty",
    "train --data ./nope --output_path out": "use a .jsonl, .json, .csv, .tsv, .parquet or .txt (text@label) file",
    "run --adapters ./nope": "adapter './nope' not found",
    "run --tasks nope": "unknown task 'nope'",
    "run --device cud": "unknown device 'cud'; did you mean 'cuda'?",
    "run --encoder nope": "unknown encoder 'nope'",
    "run --spacy_pipeline nope": "spaCy pipeline 'nope' is not installed",
    "correct pocket-steady --subspace nope.safetensors --output_path out": "subspace 'nope.safetensors' does not exist",
    "subspace --base pocket-base --aligned pocket-aligned --output_path out --rank 0": "--rank: input should be greater",
    "subspace --base pocket-base --aligned pocket-aligned --output_path out --device gpu": "unknown device 'gpu'",
    "inspect pocket-steady --data nope.jsonl": "file 'nope.jsonl' does not exist",
    "inspect pocket-steady --base ./nope": "model './nope' not found",
    "equivalence --adapter pocket-steady --encoder nope": "unknown encoder 'nope'",
}
CHECK = """
import contextlib, io, json, sys
from holdfast.harness.cli import main
found = []
for command in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = main(command)
    heavy = sorted({"torch", "transformers", "peft", "spacy"} & sys.modules.keys())
    found.append([status, heavy, said.getvalue()])
print(json.dumps(found))
"""


def test_mistakes_are_told_before_heavy_imports(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "Where is it?", "completion": "Here."}\n')
    places = {"DATA": ["--data", str(rows), "--output_path", str(tmp_path / "out")], "ROWS": [str(rows)]}
    commands = [[word for part in line.split() for word in places.get(part, [part])] for line in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, json.dumps(commands)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    for (line, message), (status, heavy, said) in zip(COMMANDS.items(), json.loads(done.stdout), strict=True):
        assert (status, heavy) == (1, []), line
        assert message in said, line
        assert said.count("\n") == 1, line
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]
