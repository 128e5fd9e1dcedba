"""Start an engine for tests, and run one small suite through any backend."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast import Results, evaluate
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.models.adapter import Adapter
from tests.harness.loras import POCKET

MODEL_ARGS = {"pretrained": str(POCKET), "dtype": "float32", "max_length": 256}
SMALL = {**MODEL_ARGS, "kv_cache_memory_bytes": 2**26}
KEPT = ("key", "adapter", "adapter_digest", "prompt", "output", "tokens", "finish", "truncated", "scores")


def connect(adapters: Sequence[Adapter], batch_size: int | None = None, **model_args: Any) -> Backend:
    options = BackendOptions({**SMALL, **model_args}, batch_size)
    entry = backends.get("vllm")
    entry.check(options.model_args)
    return entry.build(options, adapters)


def run(folder: Path, model: str, **settings: Any) -> Results:
    """Run one small suite through any backend: the base and two adapters."""
    model_args: dict[str, Any] = {"pretrained": "pocket-aligned", "dtype": "float32"}
    if model == "vllm":
        model_args["kv_cache_memory_bytes"] = 2**26
    chosen = {
        "model_args": model_args,
        "adapters": "base,pocket-steady,pocket-narrow",
        "tasks": "factual_qa,dialogue_summary",
        "perturbations": "typos,synonyms",
        "severity": "light",
        "limit": 6,
        "encoder": "lexical",
        "min_meaning": 0,
    }
    return evaluate(model=model, output_path=folder / model, **{**chosen, **settings})


def rows(results: Results, leave_out: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the stored answers sorted by key, since engines may finish them in any order."""
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").read_text("utf-8").splitlines()]
    return sorted(
        ({name: line[name] for name in KEPT if name not in leave_out} for line in lines),
        key=lambda line: str(line["key"]),
    )
