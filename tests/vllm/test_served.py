"""The same suite through a real, local vLLM server gives the texts and scores of the hf backend."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from holdfast.harness.models.checkpoints import find_checkpoint
from tests.vllm.engines import rows, run

pytestmark = pytest.mark.skipif(find_spec("aiohttp") is None, reason="aiohttp is not installed")

STARTS_WITHIN = 300
"""Seconds to wait for the server to start."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that starts with one adapter and may load others."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "model": find_checkpoint("pocket-aligned"),
        "served-model-name": "pocket",
        "host": "127.0.0.1",
        "port": port,
        "dtype": "float32",
        "kv-cache-memory-bytes": 2**26,
        "max-loras": 3,
        "max-lora-rank": 8,
        "lora-modules": f"steady={find_checkpoint('pocket-steady')}",
        "distributed-executor-backend": "uni",
    }
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager", "--enable-lora"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    allowed = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    log = tmp_path_factory.mktemp("server") / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(command, env={**os.environ, **allowed}, stdout=output, stderr=output) as vllm,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/health", vllm, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            vllm.terminate()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(0.5)


def test_a_server_gives_the_texts_and_scores_of_the_hf_backend(server: str, tmp_path: Path) -> None:
    served = run(
        tmp_path,
        "api",
        model_args={"model": "pocket", "base_url": server},
        adapters=f"base,pocket-steady=steady,pocket-narrow={find_checkpoint('pocket-narrow')}",
    )
    reference = run(tmp_path, "hf")
    unknown = ("adapter_digest", "tokens")  # a server counts the end-of-text token too
    assert rows(served, unknown) == rows(reference, unknown)
    scores = [name for name in reference.leaderboard if name not in ("digest", "mean_tokens")]
    assert served.leaderboard[scores].equals(reference.leaderboard[scores])
    assert served.warnings == reference.warnings


def test_a_server_makes_the_choices_of_the_hf_backend(server: str, tmp_path: Path) -> None:
    asked = [
        ("What is the capital of France?", ["Paris", "Rome"]),
        ("Who wrote Hamlet?", ["Paris", "Shakespeare", "I"]),
    ]
    lines = [{"id": i, "content": text, "choices": choices} for i, (text, choices) in enumerate(asked)]
    file = tmp_path / "choices.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    settings = {"tasks": str(file), "perturbations": "typos", "severity": "heavy"}
    # On CPU, vLLM 0.32 crashes on two prompts at a time with log-probabilities.
    args = {"model": "pocket", "base_url": server, "endpoint": "completions"}
    served = run(tmp_path, "api", model_args=args, adapters="base,pocket-steady=steady", batch_size=1, **settings)
    args = {"pretrained": "pocket-aligned", "dtype": "float32", "chat_template": "none"}
    reference = run(tmp_path, "hf", model_args=args, adapters="base,pocket-steady", **settings)
    assert rows(served, ["adapter_digest"]) == rows(reference, ["adapter_digest"])
