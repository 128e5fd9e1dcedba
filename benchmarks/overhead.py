"""What the harness costs over bare generation and bare encoding of the same texts: one run's wall time, as a ratio.

    python benchmarks/overhead.py [--repeats 5]

Both sides answer the same prompts with the same adapter in the same batches and encode the same segments; each is
measured in turn, `--repeats` times, and the median of the ratios counts. Models are loaded before the clock starts.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from holdfast.harness.backends import Settings, backends
from holdfast.harness.backends.batching import batches
from holdfast.harness.backends.types import BackendOptions
from holdfast.harness.checkpoints import find_adapters, find_base
from holdfast.harness.config import make_config
from holdfast.harness.embeddings import EmbeddingFile
from holdfast.harness.evaluation import load_tasks
from holdfast.harness.plan import Plan, make_plan, requests_for
from holdfast.harness.records import Samples, read_samples
from holdfast.harness.running import Running
from holdfast.harness.scoring import Scorer
from holdfast.metrics.encoders import encoders
from holdfast.metrics.segments import segment


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--limit", type=int, default=30)
    args = arguments.parse_args()
    config = make_config(
        {
            "adapters": "base,pocket-steady",
            "tasks": "factual_qa,dialogue_summary",
            "perturbations": "typos,word_deletion,synonyms",
            "limit": args.limit,
        }
    )
    adapters = find_adapters(config.adapters, find_base("pocket-aligned"))
    engine = backends.get("hf")(BackendOptions(config.model_args), adapters)
    encode = encoders.get(config.encoder)()
    ratios = []
    print(f"{'run':>8} {'bare':>8} {'generate':>9} {'encode':>8}  ratio")
    for number in range(args.repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            plan = make_plan(config, load_tasks(config.tasks), adapters)
            run(plan, engine, encode, Path(folder))
            took = time.perf_counter() - start
            outputs = {line["output"] for line in read_samples(Path(folder) / "samples.jsonl")}
        start = time.perf_counter()
        bare_generation(engine, plan)
        generated = time.perf_counter() - start
        texts = sorted({*outputs, *(part.text for parts in segment(sorted(outputs)) for part in parts)})
        start = time.perf_counter()
        encode(texts)
        encoded = time.perf_counter() - start
        if number == 0:
            continue  # warm-up
        ratios.append(took / (generated + encoded))
        print(
            f"{took:7.2f}s {generated + encoded:7.2f}s {generated:8.2f}s {encoded:7.2f}s  {ratios[-1]:.3f}", flush=True
        )
    print(f"{len(plan)} answers; median ratio {statistics.median(ratios):.3f}")


def run(plan: Plan, engine: Any, encode: Any, folder: Path) -> None:
    """What `holdfast run` does between loading the models and writing the tables."""
    with Samples(folder / "samples.jsonl") as samples, EmbeddingFile(folder / "embeddings", encode) as encoded:
        running = Running(engine, Scorer(encoded, "sentence"), samples, log_segments=False)
        running.ask(plan.clean, lambda count: None)
        running.copy_clean(plan.unchanged, lambda count: None)
        running.ask(plan.perturbed, lambda count: None)


def bare_generation(engine: Any, plan: Plan) -> None:
    """transformers' own generate on the same unique prompts, in the same batches, and nothing else."""
    import torch

    model, tokenizer = engine._loaded.model, engine._loaded.tokenizer
    for items in (plan.clean, plan.perturbed):
        requests = list(requests_for(items))
        texts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": request.prompt}], tokenize=False, add_generation_prompt=True
            )
            for request in requests
        ]
        lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
        for chosen in batches(requests, lengths, engine._size):
            settings: Settings = requests[chosen[0]].settings
            batch = tokenizer([texts[i] for i in chosen], add_special_tokens=False, padding=True, return_tensors="pt")
            with torch.inference_mode(), engine._active(requests[chosen[0]].adapter):
                out = model.generate(**batch, max_new_tokens=settings.max_new_tokens, do_sample=False)
            tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


if __name__ == "__main__":
    main()
