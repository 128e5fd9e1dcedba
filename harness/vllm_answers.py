"""Greedy answers of vLLM with one adapter, in a process of its own: it keeps its memory, threads and seeds to itself.

python -m holdfast.harness.vllm_answers JOB.json ANSWERS.json
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends.vllm_loading import RANKS

_ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}


def vllm_answers(
    model: Path,
    adapter: Path,
    dtype: str,
    max_length: int,
    prompts: Sequence[Sequence[int]],
    settings: Sequence[Mapping[str, Any]],
) -> list[str]:
    """The answers to prompts of token ids; `settings` are vLLM's SamplingParams, by prompt. Raises UserError with
    vLLM's last word where it can't run the model or the adapter."""
    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    rank = max([config["r"], *(config.get("rank_pattern") or {}).values()])
    engine = {
        "model": str(model),
        "dtype": dtype,
        "enable_lora": True,
        "max_loras": 2,  # one more than there are adapters: some versions fill the last slot into rows without one
        "max_lora_rank": next((most for most in RANKS if most >= rank), rank),
        "max_model_len": max_length,
        "enforce_eager": True,
        "seed": 0,
    }
    job = {"engine": engine, "adapter": str(adapter.resolve()), "prompts": prompts, "settings": settings}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "job.json", Path(folder) / "answers.json"
        asked.write_text(json.dumps(job), "utf-8")
        command = [sys.executable, "-m", "holdfast.harness.vllm_answers", str(asked), str(answered)]
        done = subprocess.run(command, capture_output=True, text=True, env={**_ENVIRONMENT, **os.environ})
        if done.returncode or not answered.is_file():
            *_, last = done.stderr.strip().splitlines() or ["it ended without a word"]
            raise UserError(f"vLLM can't run it: {last}")
        found: list[str] = json.loads(answered.read_text("utf-8"))
        return found


def main(asked: Path, answered: Path) -> None:
    """Do one job."""
    import torch

    vllm, lora = import_module("vllm"), import_module("vllm.lora.request")
    job = json.loads(asked.read_text("utf-8"))
    if not torch.cuda.is_available():
        job["engine"]["kv_cache_memory_bytes"] = 2**28  # or it asks for most of the machine
    results = vllm.LLM(**job["engine"]).generate(
        [{"prompt_token_ids": ids} for ids in job["prompts"]],
        [vllm.SamplingParams(temperature=0.0, **each) for each in job["settings"]],
        lora_request=lora.LoRARequest("adapter", 1, job["adapter"]),
        use_tqdm=False,
    )
    answered.write_text(json.dumps([result.outputs[0].text.strip() for result in results]), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
