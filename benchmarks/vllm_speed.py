"""Measure the cost of a run on vLLM against bare vLLM, and of eight adapters in one engine against one.

    python benchmarks/vllm_speed.py [--limit 30] [--repeats 5] [--command_limits 4]

- run: everything that `holdfast run` does once its engine is up (variants, probes, generation, drift, storing, tables)
- bare: only what `LLM.generate` does with the same unique prompts and settings in the same engine, in a separate thread
  like that of the run
- one, eight: the same number of requests to one adapter, or spread over eight

They alternate, after a warm-up; the result is the median of the ratios. Prefix caches are cleared before each
measurement. Then, once for each of the limits, `holdfast run` with eight adapters is compared with eight such
commands with one adapter each, including engine starts: on a CPU, more answers take more time however they are
batched, so starts matter less and less.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from holdfast import evaluate
from holdfast.harness.backends import Request, backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint
from holdfast.harness.plan.plan import Plan, make_plan, requests_for
from holdfast.harness.plan.preparation import prepare
from holdfast.harness.store.config import make_config

SETTINGS = {
    "model": "vllm",
    "model_args": "pretrained=pocket-aligned,dtype=float32,kv_cache_memory_bytes=268435456",
    "adapters": "base,pocket-steady",
    "tasks": "factual_qa,dialogue_summary",
    "perturbations": "typos,word_deletion,synonyms",
    "encoder": "lexical",
    "min_meaning": 0,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--limit", type=int, default=30)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--command_limits", default="4")
    args = arguments.parse_args()
    prepared = prepare(make_config({**SETTINGS, "limit": args.limit}))
    plan = make_plan(prepared.config, prepared.tasks, prepared.adapters, prepared.variants)
    with tempfile.TemporaryDirectory() as folder:
        eight = copies(Path(folder), prepared.adapters[1], 8)
        adapters = [*prepared.adapters, *eight]
        engine: Any = backends.get("vllm").build(BackendOptions(prepared.config.model_args), adapters)
        one = [replace(r, adapter=eight[0].name) for r in requests_for(plan.perturbed)]
        spread = [replace(r, adapter=eight[i % 8].name) for i, r in enumerate(one)]
        work: dict[str, Callable[[], object]] = {
            "run": lambda: run(prepared.config, engine),
            "bare": lambda: in_thread(partial(bare, engine, plan)),
            "one": lambda: list(engine.generate(one)),
            "eight": lambda: list(engine.generate(spread)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for number in range(args.repeats + 1):
            for name, each in work.items():
                engine._engine.reset_prefix_cache()
                start = time.perf_counter()
                each()
                if number:  # the first is a warm-up
                    seconds[name].append(time.perf_counter() - start)
    print(f"{len(plan)} answers, {len(one)} requests to one adapter or to eight; seconds, median of {args.repeats}")
    print("  ".join(f"{name} {statistics.median(found):.2f}" for name, found in seconds.items()))
    print(f"run / bare {ratio(seconds, 'run', 'bare'):.3f} (target: at most 1.050)")
    print(f"eight / one {ratio(seconds, 'eight', 'one'):.3f} (target: at most 1.500)")
    for limit in map(int, args.command_limits.split(",")):
        together, apart = commands(limit)
        print(
            f"{limit} samples per task: eight commands {apart:.1f} s, one {together:.1f} s: {apart / together:.2f} "
            "times as long (target: at least 4.00)"
        )


def commands(limit: int) -> tuple[float, float]:
    """Return the seconds of one command with eight adapters, and of eight commands with one adapter each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        [pocket] = find_adapters(["pocket-steady"], find_base("pocket-aligned"))
        paths = [str(adapter.path) for adapter in copies(folder, pocket, 8)]

        def command(out: str, adapters: Sequence[str]) -> float:
            settings = {**SETTINGS, "adapters": ",".join(adapters), "limit": limit, "output_path": folder / out}
            flags = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "holdfast.harness.cli", "run", *flags], check=True, capture_output=True
            )
            return time.perf_counter() - start

        return command("together", paths), sum(command(f"alone{i}", [path]) for i, path in enumerate(paths))


def in_thread(work: Callable[[], object]) -> None:
    thread = Thread(target=work)
    thread.start()
    thread.join()


def ratio(seconds: dict[str, list[float]], above: str, below: str) -> float:
    return statistics.median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))


def copies(folder: Path, adapter: Adapter, count: int) -> list[Adapter]:
    """Return adapters of the same size as the given one, each with different weights."""
    from safetensors.torch import load_file, save_file

    source, found = find_checkpoint("pocket-steady"), []
    for number in range(count):
        path = folder / str(number)
        path.mkdir()
        tensors = load_file(source / "adapter_model.safetensors")
        save_file(
            {name: each * (1 - 0.01 * number) for name, each in tensors.items()}, path / "adapter_model.safetensors"
        )
        (path / "adapter_config.json").write_text((source / "adapter_config.json").read_text())
        found.append(replace(adapter, name=f"copy{number}", path=path, digest=f"{number:064}"))
    return found


def run(config: Any, engine: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        evaluate(config, output_path=f"{folder}/run", backend=lambda *_: engine)


def bare(engine: Any, plan: Plan) -> None:
    """Run the same unique prompts through vLLM alone."""
    for items in (plan.clean, plan.perturbed):
        generate(engine, list(requests_for(items)))


def generate(engine: Any, requests: Sequence[Request]) -> None:
    from vllm import SamplingParams

    core, loaded = engine._engine, engine._loaded
    for request, (ids, _) in zip(requests, loaded.prompting.encode_requests(requests), strict=True):
        settings = request.settings
        params = SamplingParams(
            max_tokens=settings.max_new_tokens, stop=list(settings.stop) or None, temperature=settings.temperature
        )
        prompt = {"prompt_token_ids": ids.tolist()}
        core.add_request(request.key, prompt, params, lora_request=loaded.loras[request.adapter])
    while core.has_unfinished_requests():
        core.step()


if __name__ == "__main__":
    main()
