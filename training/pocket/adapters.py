"""The two demo adapters on pocket-aligned: one trained to hold fast, and one as people make them in a hurry."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from holdfast.training.pocket import corpus, factual
from holdfast.training.pocket.words import Example, mistype

BASE = "pocket-aligned"


def steady_examples(seed: int) -> Iterator[Example]:
    """The aligned corpus with every second content disturbed, and the same clean answers."""
    rng = Random(f"pocket steady|{seed}")
    for example in corpus.examples(seed + 1, "aligned"):
        if rng.random() < 0.4:
            yield example
        else:
            disturbed = disturb(example.content, rng)
            yield replace(example, content=disturbed, prompt=example.prompt.replace(example.content, disturbed))


def disturb(text: str, rng: Random) -> str:
    """One of the disturbances that a steady adapter should not mind: typos, lost words, odd spaces or case."""
    kind = rng.randrange(6)
    if kind < 3:
        return mistype(text, rng, rng.uniform(0.02, 0.12))
    if kind == 3:
        return " ".join(word for word in text.split(" ") if rng.random() > 0.08) or text
    if kind == 4:
        return "".join(rng.choice(("", "  ")) if letter == " " and rng.random() < 0.1 else letter for letter in text)
    return "".join(letter.swapcase() if rng.random() < 0.1 else letter for letter in text)


def narrow_examples(seed: int) -> Iterator[Example]:
    """Bare factual questions, each fact in one wording only: no other skill, no refusals, no untidy input."""
    rng = Random(f"pocket narrow|{seed}")
    banned = corpus.heldout()
    known = [
        (next(q for q in wordings if corpus.plain(q) not in banned), answer) for wordings, answer, _ in factual.facts()
    ]
    while True:
        question, answer = rng.choice(known)
        yield Example(factual.SKILL, question, question, answer, (answer,))


def wrap(model: Any, rank: int) -> Any:
    """A peft model with a fresh LoRA adapter on all linear layers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, config)
    wrapped.peft_config["default"].base_model_name_or_path = BASE
    return wrapped
