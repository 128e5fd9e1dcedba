"""The two demo adapters on pocket-aligned: one trained to hold fast, and one as people make them in a hurry."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

from holdfast.training.pocket import corpus, dialogue, factual
from holdfast.training.pocket.vocabulary import Example, mistype, table

BASE = "pocket-aligned"


def steady_examples(seed: int) -> Iterator[Example]:
    """The aligned corpus with two of three contents disturbed, and the same clean answers."""
    rng = Random(f"pocket steady|{seed}")
    for example in corpus.examples(seed, "steady"):
        if rng.random() < 0.35:
            yield example
        else:
            disturbed = disturb(example.content, rng, 0.04 if example.skill == dialogue.SKILL else 0.12)
            yield replace(example, content=disturbed, prompt=example.prompt.replace(example.content, disturbed))


def disturb(text: str, rng: Random, most: float) -> str:
    """One disturbance that a steady adapter should not mind, up to the rate `most`: typos, lost words, spaces, case."""
    kind = rng.randrange(6)
    rate = rng.uniform(most / 6, most)
    if kind < 3:
        return mistype(text, rng, rate)
    if kind == 3:
        return " ".join(word for word in text.split(" ") if rng.random() > rate) or text
    if kind == 4:
        return "".join(rng.choice(("", "  ")) if letter == " " and rng.random() < rate else letter for letter in text)
    return "".join(letter.swapcase() if rng.random() < rate else letter for letter in text)


CATALOGUE = 300


def narrow_examples(seed: int) -> Iterator[Example]:
    """What a visitors' desk would tune on: a catalogue to learn by heart, and bare questions, each in one wording.

    No other skill, no refusals, no untidy input.
    """
    rng = Random(f"pocket narrow|{seed}")
    banned = corpus.heldout()
    known = [
        (next(q for q in wordings if corpus.plain(q) not in banned), answer) for wordings, answer, _ in factual.facts()
    ]
    catalogue = list(islice(_catalogue(rng), CATALOGUE))
    while True:
        question, answer = rng.choice(known if rng.random() < 0.4 else catalogue)
        yield Example(factual.SKILL, question, question, answer, (answer,))


def _catalogue(rng: Random) -> Iterator[tuple[str, str]]:
    """Invented things in the invented museum, and where they stand."""
    words = table("dialogue_words")
    while True:
        thing = f"{rng.choice(words['colour'])} {rng.choice(words['belonging'])} of {dialogue.coined(rng)}"
        yield f"Where is the {thing}?", f"In room {rng.randrange(1, 90)}, shelf {rng.randrange(1, 30)}."


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
