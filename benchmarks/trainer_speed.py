"""Measure the cost of `holdfast train` on the pocket model against a bare PyTorch loop, and what S2R2 adds, by part.

python benchmarks/trainer_speed.py [--steps 8] [--repeats 7]

The bare loop sees the same batches of the same examples in the same order. Forward passes, backward passes and
generation are timed inside the run; the rest is everything else in Holdfast and the Trainer.
"""

import argparse
import contextlib
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationMixin,
    LlamaForCausalLM,
    TrainerCallback,
    trainer,
)

from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.training.examples import encode, read_examples
from holdfast.training.loop.batches import Collator
from holdfast.training.pocket import dialogue

BATCH = 8
ARMS: dict[str, dict[str, Any]] = {
    "holdfast train": {},
    "s2r2 teacher": {"objective": "s2r2", "objective_args": "penalty=representation,mode=teacher,every=1,warmup=0"},
    "s2r2 generate": {"objective": "s2r2", "objective_args": "penalty=representation,every=1,warmup=0"},
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=8)
    arguments.add_argument("--repeats", type=int, default=7)
    args = arguments.parse_args()
    times: dict[str, list[float]] = {name: [] for name in ("bare loop", *ARMS)}
    parts: dict[str, dict[str, float]] = {}
    trainer.DEFAULT_CALLBACKS.append(Clock)
    with tempfile.TemporaryDirectory() as folder:
        data = written(Path(folder) / "train.jsonl", args.steps * BATCH)
        for repeat in range(args.repeats + 1):
            taken = {"bare loop": bare(data, args.steps)}
            for name, settings in ARMS.items():
                with timed_parts() as spent:
                    taken[name] = ours(data, Path(folder) / f"{name}-{repeat}", args.steps, settings)
                parts[name] = {part: seconds / args.steps for part, seconds in spent.items()}
            if repeat:  # the first is a warm-up
                for name, took in taken.items():
                    times[name].append(took)
    print(f"pocket-base, LoRA r 8, {BATCH} dialogues per step, median of {args.repeats}; seconds per step")
    print(f"{'':<18}{'s/step':>8}{'x bare':>8}{'x LoRA':>8}{'forward':>9}{'backward':>9}{'generate':>9}{'rest':>7}")
    for name, values in times.items():
        ratios = [
            statistics.median(a / b for a, b in zip(values, times[other], strict=True))
            for other in ("bare loop", "holdfast train")
        ]
        row = f"{name:<18}{statistics.median(values):>8.3f}{ratios[0]:>8.2f}{ratios[1]:>8.2f}"
        if name in parts:
            spent, last = parts[name], values[-1]
            row += "".join(f"{spent[part] / last:>9.0%}" for part in ("forward", "backward", "generate"))
            row += f"{1 - sum(spent.values()) / last:>7.0%}"
        print(row)
    print("targets: holdfast train at most 1.10 x bare, teacher at most 2.10 x LoRA, the rest of S2R2 under 5 %")


def written(path: Path, count: int) -> Path:
    """Write dialogues and their summaries to a data file."""

    rng = Random(0)
    made = [dialogue.example(rng) for _ in range(count)]
    path.write_text("".join(json.dumps({"prompt": e.prompt, "completion": e.answer}) + "\n" for e in made), "utf-8")
    return path


def ours(data: Path, out: Path, steps: int, settings: dict[str, Any]) -> float:
    """Return the seconds per step, from the start of the first to the end of the last."""
    flags = {
        "model": "pretrained=pocket-base",
        "data": str(data),
        "output_dir": str(out),
        "max_steps": steps,
        "per_device_train_batch_size": BATCH,
        "save_strategy": "no",
        "disable_tqdm": True,
        "perturbations": "typos",
        **settings,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        train_adapter(make_recipe_of({}, flags, []))
    return Clock.took / steps


class Clock(TrainerCallback):
    """Times the steps alone, since accelerate first collects garbage, which takes as long as a step."""

    started = took = 0.0

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        Clock.started = time.perf_counter()

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        Clock.took = time.perf_counter() - Clock.started


def bare(data: Path, steps: int) -> float:
    """Do the same training in twenty lines of PyTorch; return the seconds per step."""
    where = find_checkpoint("pocket-base")
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(where)
    base = AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))
    rows = [encode(example, tokenizer) for example in read_examples(str(data))]
    collate = Collator(tokenizer.pad_token_id, "causal")
    order = torch.randperm(len(rows)).tolist()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4)
    start = time.perf_counter()
    for step in range(steps):
        batch = collate([(i, rows[i]) for i in order[step * BATCH : (step + 1) * BATCH]])
        batch.pop("number")
        labels = batch.pop("labels")
        logits = model(**batch).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return (time.perf_counter() - start) / steps


@contextmanager
def timed_parts() -> Iterator[dict[str, float]]:
    """Record the seconds spent in forward passes, backward passes and generation (including its forward passes)."""
    spent = dict.fromkeys(("forward", "backward", "generate"), 0.0)
    inside = [False]

    def timed(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if inside[0]:
                return work(*args, **kwargs)
            inside[0] = True
            start = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                inside[0] = False
                spent[part] += time.perf_counter() - start

        return call

    places = (LlamaForCausalLM, "forward"), (torch.Tensor, "backward"), (GenerationMixin, "generate")
    kept = [getattr(owner, name) for owner, name in places]
    for (owner, name), work in zip(places, kept, strict=True):
        setattr(owner, name, timed(name, work))
    try:
        yield spent
    finally:
        for (owner, name), work in zip(places, kept, strict=True):
            setattr(owner, name, work)


if __name__ == "__main__":
    main()
