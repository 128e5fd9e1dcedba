"""Measure the throughput of the engines with 1, 4 and 16 adapters, and of a run against its bare engine, on a GPU.

python benchmarks/gpu/generation.py [--engines hf,vllm] [--pretrained DIR] [--out results/gpu_generation.txt]

Without --pretrained the base is a Llama with random weights and the pocket tokenizer, made in a temporary folder (1.1
B parameters with the default --hidden and --layers). Every adapter has rank 16 on all linear layers and random
weights. The number of requests is the same for one adapter as for sixteen. `run` is all that `holdfast run` does once
its engine is up; `bare` is the engine alone on as many prompts of the same lengths: transformers' `generate` on
batches of the same size, or vLLM's own loop. An engine that is not installed is skipped with a note.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from holdfast import evaluate
from holdfast.harness.backends import Request, Settings, backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint
from holdfast.tasks import Sample, Task

COUNTS = (1, 4, 16)
RANK = 16


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--engines", default="hf,vllm")
    arguments.add_argument("--pretrained")
    arguments.add_argument("--hidden", type=int, default=2048)
    arguments.add_argument("--layers", type=int, default=22)
    arguments.add_argument("--requests", type=int, default=512)
    arguments.add_argument("--tokens", type=int, default=64)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--out", type=Path)
    args = arguments.parse_args()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    lines = [f"{args.requests} requests, {args.tokens} new tokens each, {device}, median of {args.repeats}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = args.pretrained or random_base(folder / "base", args.hidden, args.layers)
        paths = random_adapters(base, folder, max(COUNTS))
        for engine in args.engines.split(","):
            if engine == "vllm" and not find_spec("vllm"):
                lines.append("vllm: not installed")
                continue
            lines += measured(engine, base, paths, args)
            gc.collect()
            torch.cuda.empty_cache()
    print("\n".join(lines))
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", "utf-8")


def measured(engine: str, base: str, paths: Sequence[Path], args: argparse.Namespace) -> list[str]:
    """Measure requests per second for each number of adapters, then a run's time over its bare engine's."""
    adapters = find_adapters([f"a{i}={path}" for i, path in enumerate(paths)], find_base(base))
    model_args = {"pretrained": base, **({"max_length": 1024} if engine == "hf" else {"max_model_len": 1024})}
    built = backends.get(engine).build(BackendOptions(model_args), adapters)
    lines = [f"{engine}: {dict(built.describe())}"]
    settings = Settings(max_new_tokens=args.tokens)
    for count in COUNTS:
        requests = [Request(str(i), f"a{i % count}", prompt(i), settings) for i in range(args.requests)]
        seconds = median_seconds(lambda requests=requests: list(built.generate(requests)), args.repeats)
        lines.append(f"{engine}: {count:>2} adapters {args.requests / seconds:>9.1f} requests/s")
    task = Task("numbers", tuple(Sample(str(i), prompt(i)) for i in range(args.requests // 4)), ("answer_rate",))
    plain = bare(engine, built, task, adapters[0], args.tokens)
    ratios = []
    for number in range(args.repeats + 1):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as out:
            run(built, task, base, adapters[0], args.tokens, out)
        middle = time.perf_counter()
        plain()
        if number:  # the first is a warm-up
            ratios.append((middle - start) / (time.perf_counter() - middle))
    lines.append(f"{engine}: run / bare {statistics.median(ratios):.3f} (target for vllm: at most 1.050)")
    return lines


def run(built: Backend, task: Task, base: str, adapter: Adapter, tokens: int, out: str) -> None:
    """Run each sample clean, repeated, and under two perturbations: four requests per sample."""
    evaluate(
        tasks=[task],
        model_args={"pretrained": base},
        adapters=[f"a0={adapter.path}"],
        perturbations=["typos", "word_deletion"],
        severity=["heavy"],
        gen_kwargs={"max_new_tokens": tokens},
        encoder="lexical",
        min_meaning=0,
        output_path=out,
        backend=lambda *_: built,
    )


def bare(engine: str, built: Any, task: Task, adapter: Adapter, tokens: int) -> Callable[[], None]:
    """Return a function that runs as many prompts as a run's requests, of similar lengths, through the engine alone."""
    prompts = [f"{sample.content} {i}" for sample in task.samples for i in range(4)]
    if engine == "vllm":
        from vllm import SamplingParams

        loaded = built._loaded
        params = SamplingParams(max_tokens=tokens, temperature=0.0)

        def through_vllm() -> None:
            for i, text in enumerate(prompts):
                loaded.engine.add_request(str(i), text, params, lora_request=loaded.loras[adapter.name])
            while loaded.engine.has_unfinished_requests():
                loaded.engine.step()

        return through_vllm
    model, tokenizer = built._loaded.model, built._loaded.tokenizer
    size = built.describe()["batch_size"]

    def through_transformers() -> None:
        model.set_adapter(built._loaded.peft_names[adapter.name])
        for start in range(0, len(prompts), size):
            batch = tokenizer(prompts[start : start + size], padding=True, return_tensors="pt").to(model.device)
            batch.pop("token_type_ids", None)
            with torch.inference_mode():
                model.generate(**batch, max_new_tokens=tokens, do_sample=False)

    return through_transformers


def prompt(number: int) -> str:
    return f"Tell me in one sentence what happened in the small town by the river in the year {1000 + number}."


def random_base(folder: Path, hidden: int, layers: int) -> str:
    """Write a Llama with random bfloat16 weights and the pocket tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(find_checkpoint("pocket-base"))
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=int(2.75 * hidden),
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        max_position_embeddings=2048,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def random_adapters(base: str, folder: Path, count: int) -> list[Path]:
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base), dtype=torch.bfloat16)
    config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules="all-linear", task_type="CAUSAL_LM")
    wrapped = get_peft_model(skeleton, config).to_empty(device="cpu")
    paths = []
    for number in range(count):
        torch.manual_seed(number)
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(parameter, std=0.02)
        paths.append(folder / f"adapter{number}")
        wrapped.save_pretrained(paths[-1])
    return paths


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    taken = []
    for number in range(repeats + 1):
        start = time.perf_counter()
        work()
        if number:  # the first is a warm-up
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
