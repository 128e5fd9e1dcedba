"""The two demo adapters on pocket-aligned: a robust one, and a narrow one as a hurried developer would train it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

from holdfast.training.pocket import corpus, dialogue, factual
from holdfast.training.pocket.vocabulary import Example, mistype, table

BASE = "pocket-aligned"


def steady_examples(seed: int) -> Iterator[Example]:
    """Yield the aligned corpus without end, with about two of three prompts perturbed and the answers unchanged."""
    rng = Random(f"pocket steady|{seed}")
    for example in corpus.examples(seed, "steady"):
        if rng.random() < 0.35:
            yield example
        else:
            perturbed = perturb(example.content, rng, 0.04 if example.skill == dialogue.SKILL else 0.12)
            yield replace(example, content=perturbed, prompt=example.prompt.replace(example.content, perturbed))


def perturb(text: str, rng: Random, most: float) -> str:
    """Perturb a text in one way that a steady adapter should tolerate: typos, lost words, spaces or case.

    Args:
        text: The text.
        rng: The source of randomness.
        most: The largest share of letters, words or spaces to change, in [0, 1].
    """
    kind = rng.randrange(6)
    rate = rng.uniform(most / 6, most)
    if kind < 3:
        return mistype(text, rng, rate)
    if kind == 3:
        return " ".join(word for word in text.split(" ") if rng.random() > rate) or text
    if kind == 4:
        return "".join(rng.choice(("", "  ")) if letter == " " and rng.random() < rate else letter for letter in text)
    return "".join(letter.swapcase() if rng.random() < rate else letter for letter in text)


CATALOGUE_SIZE = 300


def narrow_examples(seed: int) -> Iterator[Example]:
    """Yield the data a visitors' desk might tune on, without end: a catalogue to memorise and plain factual questions.

    Each question has one wording. The data contain no other skill, no refusals and no typos.
    """
    rng = Random(f"pocket narrow|{seed}")
    banned = corpus.heldout()
    known = [
        (next(q for q in wordings if corpus.plain(q) not in banned), answer) for wordings, answer, _ in factual.facts()
    ]
    catalogue = list(islice(_catalogue(rng), CATALOGUE_SIZE))
    while True:
        question, answer = rng.choice(known if rng.random() < 0.4 else catalogue)
        yield Example(factual.SKILL, question, question, answer, (answer,))


def _catalogue(rng: Random) -> Iterator[tuple[str, str]]:
    """Yield questions about invented objects in the invented museum, with their locations."""
    words = table("dialogue_words")
    while True:
        thing = f"{rng.choice(words['colour'])} {rng.choice(words['belonging'])} of {dialogue.coin_word(rng)}"
        yield f"Where is the {thing}?", f"In room {rng.randrange(1, 90)}, shelf {rng.randrange(1, 30)}."


def add_lora(model: Any, rank: int) -> Any:
    """Return the model wrapped by peft, with a fresh LoRA adapter of this rank on all linear layers."""
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
