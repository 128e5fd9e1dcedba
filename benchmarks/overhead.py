"""Measure the overhead of the harness: wall time of whole runs over bare generation and encoding of the same texts.

    python benchmarks/overhead.py [--repeats 5] [--limit 30]

A run is everything that `holdfast run` does once its models are loaded: variants, probes, generation, scoring, storing,
tables. The bare side is transformers' `generate` on the same unique prompts in the same batches, then one call of the
encoder on exactly the texts that the run encoded. The two alternate, `--repeats` times after a warm-up; the result is
the median of the ratios.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from holdfast import evaluate
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.batching import batches
from holdfast.harness.plan.plan import Plan, make_plan, requests_for
from holdfast.harness.plan.preparation import prepare
from holdfast.harness.store.config import make_config
from holdfast.metrics.encoders.encoder import encoder, load_encoder

SETTINGS = {
    "adapters": "base,pocket-steady",
    "tasks": "factual_qa,dialogue_summary",
    "perturbations": "typos,word_deletion,synonyms",
    "encoder": "loaded",
    "min_meaning": 0,
}


class Loaded:
    """The default encoder, loaded once, which records the texts that it encodes."""

    def __init__(self) -> None:
        self.encode = load_encoder("minilm")
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        return self.encode(texts)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--limit", type=int, default=30)
    args = arguments.parse_args()
    loaded = Loaded()
    encoder("loaded")(lambda: loaded)
    prepared = prepare(make_config({**SETTINGS, "limit": args.limit}))
    plan = make_plan(prepared.config, prepared.tasks, prepared.adapters, prepared.variants)
    engine = backends.get("hf").build(BackendOptions(prepared.config.model_args), prepared.adapters)
    ratios = []
    print(f"{'run':>9} {'bare':>9} {'generate':>9} {'encode':>8}  ratio")
    for number in range(args.repeats + 1):
        loaded.texts.clear()
        with tempfile.TemporaryDirectory() as folder:
            run = timed(lambda: evaluate(prepared.config, output_path=f"{folder}/run", backend=lambda *_: engine))
        generate = timed(lambda: bare_generation(engine, plan))
        encode = timed(lambda: loaded.encode(loaded.texts))
        if number:  # the first is a warm-up
            ratios.append(run / (generate + encode))
            print(
                f"{run:8.2f}s {generate + encode:8.2f}s {generate:8.2f}s {encode:7.2f}s  {ratios[-1]:.3f}", flush=True
            )
    print(f"{len(plan)} answers; median ratio {statistics.median(ratios):.3f} (target: at most 1.150)")


def timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare_generation(engine: Any, plan: Plan) -> None:
    """Run only transformers' `generate`, on the same unique prompts in the same batches."""
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
        ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
        for chosen in batches(requests, [len(row) for row in ids], engine._size):
            batch = tokenizer.pad({"input_ids": [ids[i] for i in chosen]}, return_tensors="pt")
            longest = requests[chosen[0]].settings.max_new_tokens
            with torch.inference_mode(), engine._active(requests[chosen[0]].adapter):
                out = model.generate(**batch, max_new_tokens=longest, do_sample=False)
            tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


if __name__ == "__main__":
    main()
