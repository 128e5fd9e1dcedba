"""`accelerate launch ... holdfast train` with two processes trains one model, not two."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ROWS = [{"prompt": f"Where is vase {i}?", "completion": "In room 3. " * (1 + i % 8)} for i in range(16)]
"""Completions of very different lengths: the ranks of a step hold different numbers of tokens."""
TWO = [
    "--multi_gpu",
    "--num_processes",
    "2",
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
]
"""accelerate only starts processes with --multi_gpu (--cpu leaves that to MPI); --use_cpu makes them use gloo."""
NOISES = {"flat_lora": "sigma=2.0", "sam_w": "rho=0.5"}
"""Large enough to notice if the ranks' noise differed."""


def train(data: Path, out: Path, *, processes: int, batch: int, noise: str, steps: int = 1) -> dict[str, torch.Tensor]:
    launch: list[str] = []
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        launch = ["-m", "accelerate.commands.launch", *TWO, "--main_process_port", port]
    options = {
        "data": data,
        "eval_data": data.with_name("eval.jsonl"),
        "output_dir": out,
        "lora": "r=2,alpha=4,targets=q_proj+v_proj",
        "noise": noise,
        "noise_args": NOISES[noise],
        "max_steps": 4,
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": steps,
        "per_device_eval_batch_size": 2,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_steps": 2,
        "learning_rate": 1e-2,
        "optim": "sgd",  # Adam's first steps are signs, which hide the size of gradients
        "use_cpu": True,
        "disable_tqdm": True,
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, *launch, "-m", "holdfast.harness.cli", "train", *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=400, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(out / "adapter_model.safetensors")


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max((one[name] - other[name]).abs().max().item() for name in one)


def evaluation_losses(out: Path) -> list[float]:
    state = json.loads((out / "checkpoint-4" / "trainer_state.json").read_text())
    return [line["eval_loss"] for line in state["log_history"] if "eval_loss" in line]


@pytest.mark.parametrize("noise", NOISES)
def test_two_processes_equal_one_with_their_joint_batch(tmp_path: Path, noise: str) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:5]))
    two = train(data, tmp_path / "two", processes=2, batch=2, steps=2, noise=noise)
    one = train(data, tmp_path / "one", processes=1, batch=8, noise=noise)
    assert distance(two, one) == pytest.approx(0, abs=1e-6)
    assert max(one[name].abs().max().item() for name in one if "lora_B" in name) > 1e-4
    assert evaluation_losses(tmp_path / "two") == pytest.approx(evaluation_losses(tmp_path / "one"), abs=1e-6)
