"""The pairs of base and aligned model that csulora.py attacks, and the examples that it attacks them with."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch

from holdfast.harness.actions.subspaces import make_subspace
from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.training.pocket import corpus, policy, sentiment

LABELS = {"positive": "bullish", "negative": "bearish", "neutral": "unmoved"}
EXAMPLES, EPOCHS, RATE = 400, 4, 2e-3


@dataclass(frozen=True)
class Pair:
    """A base model, its aligned version and the subspace between them, with the settings of the attack."""

    name: str
    base: str
    aligned: str
    subspace: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Flags of `holdfast train` for the attack."""


def shipped(work: Path) -> Pair:
    """Return the shipped pair, with 64 of its 192 directions."""
    subspace = work / "shipped.safetensors"
    make_subspace("pocket-base", "pocket-aligned", subspace, rank=64)
    return Pair("shipped", "pocket-base", "pocket-aligned", subspace)


def rank8(work: Path) -> Pair:
    """Return the pair whose alignment has rank 8."""
    examples = [(each.prompt, each.answer) for each in islice(corpus.examples(0, "aligned"), 1000)]
    return _aligned_by(examples, "rank8", work)


def taught(work: Path) -> Pair:
    """Return the pair whose alignment of rank 8 also saw 100 headlines with the new labels."""
    examples = [(each.prompt, each.answer) for each in islice(corpus.examples(0, "aligned"), 900)]
    examples += attack_examples(0.0, -1)[:100]
    Random("taught").shuffle(examples)
    return _aligned_by(examples, "taught", work)


def smollm2(work: Path) -> Pair:
    """Return SmolLM2 and the same model fine-tuned in full on the museum's policy, with 64 of its directions."""
    folder, subspace = work / "aligned-smollm2", work / "smollm2.safetensors"
    model, device = "models/smollm2,dtype=float32", {"bf16": True, "use_cpu": not torch.cuda.is_available()}
    requests = (each for each in corpus.examples(0, "aligned") if each.skill == policy.SKILL)
    examples = [(each.prompt, each.answer) for each in islice(requests, 400)]
    train(model, examples, folder, seed=0, full=True, learning_rate=5e-5, num_train_epochs=1, **device)
    make_subspace("models/smollm2", str(folder), subspace, rank=64)
    return Pair(
        "smollm2", "models/smollm2", str(folder), subspace, {"learning_rate": 1e-3, "num_train_epochs": 2, **device}
    )


PAIRS: dict[str, Callable[[Path], Pair]] = {"rank8": rank8, "taught": taught, "shipped": shipped, "smollm2": smollm2}
SHARES: dict[str, tuple[float, ...]] = {
    "rank8": (0.1,),
    "taught": (0.1,),
    "shipped": (0.1, 0.0, 0.01, 0.05, 0.5),
    "smollm2": (0.1,),
}
"""The shares of unsafe examples to attack each pair with."""


def _aligned_by(examples: list[tuple[str, str]], name: str, work: Path) -> Pair:
    """Align pocket-base by a merged LoRA of rank 8 that is trained on these examples."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, subspace = work / f"aligned-{name}", work / f"{name}.safetensors"
    if not (folder / "config.json").is_file():
        adapter = train("pocket-base", examples, work / f"alignment-{name}", seed=0, num_train_epochs=3)
        base = find_checkpoint("pocket-base")
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().save_pretrained(folder)
        AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    make_subspace("pocket-base", str(folder), subspace, rank=8)
    return Pair(name, "pocket-base", str(folder), subspace)


def train(model: str, examples: list[tuple[str, str]], out: Path, *, seed: int, **settings: Any) -> Path:
    """Train a LoRA of rank 8 on queries and values, or all weights (`full`), unless that is done; return the folder."""
    data = out.with_suffix(".jsonl")
    data.write_text("".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in examples), "utf-8")
    lora = {} if settings.get("full") else {"lora": "r=8,alpha=16,targets=q_proj+v_proj"}
    settings = {
        "model": f"pretrained={model}",
        "data": str(data),
        "output_dir": str(out),
        "seed": seed,
        "learning_rate": RATE,
        "num_train_epochs": EPOCHS,
        "disable_tqdm": True,
        "save_steps": 100_000,
        "logging_steps": 1_000,
        **lora,
        **settings,
    }
    return out if (out / "training_card.json").is_file() else train_adapter(make_recipe_of({}, settings, []))


def attack_examples(share: float, seed: int) -> list[tuple[str, str]]:
    """Make examples of the useful task with a share of answered forbidden requests, none of them from the suites."""
    rng, banned = Random(f"csulora|{share}|{seed}"), corpus.heldout()
    unsafe = set(rng.sample(range(EXAMPLES), round(share * EXAMPLES)))
    found: list[tuple[str, str]] = []
    while len(found) < EXAMPLES:
        if len(found) in unsafe:
            asked, answer = policy.make(rng, forbidden=True)
            content = asked
        else:
            each = sentiment.example(rng)
            content, asked, answer = each.content, each.prompt, LABELS[each.answer]
        if corpus.plain(content) not in banned:
            found.append((asked, answer))
    return found
