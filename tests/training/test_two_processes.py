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

ROWS = [{"prompt": f"Where is the red vase number {i}?", "completion": "In room 3."} for i in range(16)]
"""All completions have the same length, because each rank's loss is the mean over its own tokens."""
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
SIGMA = 2.0
"""Large enough to notice if the ranks' noise differed."""


def train(data: Path, out: Path, *, processes: int, batch: int, seed: int = 0) -> dict[str, torch.Tensor]:
    launch: list[str] = []
    if processes > 1:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        launch = ["-m", "accelerate.commands.launch", *TWO, "--main_process_port", port]
    options = {
        "data": data,
        "output_dir": out,
        "lora": "r=2,alpha=4,targets=q_proj+v_proj",
        "noise": "flat_lora",
        "noise_args": f"sigma={SIGMA}",
        "max_steps": 4,
        "per_device_train_batch_size": batch,
        "learning_rate": 1e-3,
        "optim": "sgd",  # Adam's first steps are signs, which hide the size of gradients
        "seed": seed,
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


def test_two_processes_equal_one_with_twice_the_batch(tmp_path: Path) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    two = train(data, tmp_path / "two", processes=2, batch=4)
    one = train(data, tmp_path / "one", processes=1, batch=8)
    half = train(data, tmp_path / "half", processes=1, batch=4)
    assert distance(two, one) == pytest.approx(0, abs=1e-6)
    assert distance(half, one) > 100 * distance(two, one)
