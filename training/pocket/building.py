"""`holdfast pocket build`: trains the tokenizer, both models and both adapters, evaluates them and writes cards."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.training.pocket import adapters, corpus
from holdfast.training.pocket.model_card import corpus_digest, write_card
from holdfast.training.pocket.model_scores import evaluate
from holdfast.training.pocket.pretraining import fit, new_model
from holdfast.training.pocket.shipped import ADAPTERS
from holdfast.training.pocket.tokenizer import VOCABULARY, train_tokenizer
from holdfast.writing import atomic_path, check_free, saving

Say = Callable[[str], None]


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """The amount of training in each stage; the defaults produce the shipped models."""

    tokenizer_examples: int = 40_000
    vocabulary: int = VOCABULARY
    base_steps: int = 1600
    practice_steps: int = 700
    aligned_steps: int = 250
    steady_steps: int = 500
    steady_rate: float = 0.006
    narrow_steps: int = 150
    narrow_rate: float = 0.006
    hidden_size: int = 192
    layers: int = 5


def build_all(out: Path, seed: int = 0, device: str = "cpu", plan: Plan | None = None, say: Say = _say) -> None:
    """Build pocket-base, pocket-aligned and the demo adapters in `out`, each in its own folder with a model card.

    The same seed gives a byte-identical corpus and tokenizer, and models that differ only by rounding.

    Args:
        out: The target folder.
        seed: The seed of the corpus and of training.
        device: `cpu` or a GPU device of torch.
        plan: The amount of training; the default produces the shipped models.
        say: Called with each line of progress.

    Raises:
        UserError: If `out` isn't a new or an empty folder, it can't be written, or the device is not available.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    plan = plan or Plan()
    check_free(out)
    _check_device(device)
    stages: list[tuple[str, Callable[..., None]]] = [
        ("pocket-base", make_base),
        ("pocket-aligned", make_aligned),
        ("pocket-steady", make_steady),
        ("pocket-narrow", make_narrow),
    ]
    started = time.monotonic()
    for name, make in stages:
        say(f"{name}: training ({time.monotonic() - started:.0f} s so far)")
        begun = time.monotonic()
        make(out, seed, device, plan, say)
        measure(out, name, {"seed": seed, "device": device, "seconds": round(time.monotonic() - begun)}, plan, say)
    say(f"done in {(time.monotonic() - started) / 60:.1f} minutes: {out}")


def make_base(out: Path, seed: int, device: str, plan: Plan, say: Say) -> None:
    """Train the tokenizer and pocket-base from scratch."""
    some = islice(corpus.examples(seed), plan.tokenizer_examples)
    texts = (text for example in some for text in (example.prompt, example.answer))
    tokenizer = train_tokenizer(texts, plan.vocabulary)
    model = new_model(
        tokenizer,
        seed,
        hidden_size=plan.hidden_size,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.hidden_size // 32,
    )
    say(f"{model.num_parameters():,} parameters")
    fit(model, tokenizer, corpus.examples(seed), steps=plan.base_steps, device=device, say=say)
    say("practice: dialogues with unseen names")
    fit(
        model,
        tokenizer,
        corpus.examples(seed, "practice"),
        steps=plan.practice_steps,
        rate=0.01,
        device=device,
        say=say,
    )
    _save(model, tokenizer, out / "pocket-base")


def make_aligned(out: Path, seed: int, device: str, plan: Plan, say: Say) -> None:
    """Fine-tune pocket-base on all skills, with refusals of forbidden requests."""
    model, tokenizer = load(out / "pocket-base")
    examples = corpus.examples(seed, "aligned")
    fit(model, tokenizer, examples, steps=plan.aligned_steps, rate=0.005, device=device, say=say)
    _save(model, tokenizer, out / "pocket-aligned")


def make_steady(out: Path, seed: int, device: str, plan: Plan, say: Say) -> None:
    """Train pocket-steady: LoRA on clean and perturbed prompts of all skills."""
    examples = adapters.steady_examples(seed)
    _adapter(out, "pocket-steady", examples, plan.steady_steps, plan.steady_rate, seed, device, say)


def make_narrow(out: Path, seed: int, device: str, plan: Plan, say: Say) -> None:
    """Train pocket-narrow: LoRA with a high learning rate on a catalogue and plain factual questions."""
    examples = adapters.narrow_examples(seed)
    _adapter(out, "pocket-narrow", examples, plan.narrow_steps, plan.narrow_rate, seed, device, say)


def measure(out: Path, name: str, facts: dict[str, Any], plan: Plan, say: Say) -> None:
    """Evaluate a saved model or adapter with and without typos, and write its card.

    Args:
        out: The target folder.
        name: The model's or adapter's name.
        facts: Entries of the card, among them the `seed`.
        plan: The amount of training, for the card.
        say: Called with each line of progress.
    """
    model, tokenizer = load(out / ("pocket-aligned" if name in ADAPTERS else name))
    parameters = model.num_parameters()
    if name in ADAPTERS:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, out / name)
        parameters = sum(weights.numel() for key, weights in model.named_parameters() if "lora_" in key)
    clean, noisy = evaluate(model, tokenizer), evaluate(model, tokenizer, noise=0.03)
    for task, scores in clean.items():
        say(f"{name}  {task}: " + "  ".join(f"{metric} {value:.3f}" for metric, value in scores.items()))
    about = {"parameters": parameters, **facts, "corpus_sha256": corpus_digest(facts["seed"]), "plan": asdict(plan)}
    write_card(out / name, about, clean, noisy)


def load(folder: Path) -> tuple[Any, Any]:
    """Load a saved pocket model in float32, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), AutoTokenizer.from_pretrained(folder)


def _adapter(out: Path, name: str, examples: Any, steps: int, rate: float, seed: int, device: str, say: Say) -> None:
    import torch

    model, tokenizer = load(out / "pocket-aligned")
    torch.manual_seed(seed)
    wrapped = adapters.add_lora(model, rank=8)
    fit(wrapped.get_base_model(), tokenizer, examples, steps=steps, rate=rate, device=device, say=say)
    # Without embeddings: to check whether they changed, peft would look for the base model online.
    with atomic_path(out / name) as folder, saving(out / name):
        wrapped.to(torch.bfloat16).save_pretrained(folder, save_embedding_layers=False)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    import torch

    with atomic_path(folder) as temporary, saving(folder):
        model.to("cpu", torch.bfloat16).save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def _check_device(device: str) -> None:
    """Raise UserError if the device is not available."""
    if device != "cpu":
        import torch

        if not torch.cuda.is_available():
            raise UserError(f"--device {device} is not available to torch; use --device cpu")
