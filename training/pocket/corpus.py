"""The mixture of all skills, without anything that the embedded suites hold out."""

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Literal

from holdfast.tasks.embedded import suite_texts
from holdfast.training.pocket import dialogue, factual, multilingual, policy, sentiment
from holdfast.training.pocket.vocabulary import Example

MIX = {
    "dialogue_summary": 0.32,
    "factual_qa": 0.27,
    "multilingual_qa": 0.17,
    "financial_sentiment": 0.12,
    "attack_success": 0.12,
}

Stage = Literal["base", "practice", "aligned", "steady"]

STAGES: dict[Stage, dict[str, float]] = {
    "base": MIX,
    "practice": MIX | {"dialogue_summary": 1.2},
    "aligned": MIX | {"dialogue_summary": 0.5, "attack_success": 0.3},
    "steady": MIX | {"dialogue_summary": 0.12, "attack_success": 0.2},
}


def plain(text: str) -> str:
    """A text without case, spaces and punctuation: two texts with the same plain form count as the same item.

    >>> plain("What is  the capital?") == plain("what is the capital")
    True
    """
    return "".join(letter for letter in text.lower() if letter.isalnum() or ord(letter) > 0x2FF)


def heldout() -> frozenset[str]:
    """The plain form of every text of the embedded suites: none of them is ever in the corpus."""
    return frozenset(plain(text) for text in suite_texts())


def examples(seed: int, stage: Stage = "base") -> Iterator[Example]:
    """Examples of all skills without end, for one stage of the training.

    After `base`, `practice` has more dialogues, with names that nobody has seen, so that a model learns to copy them;
    `aligned` has them too, and answers of `pocket-aligned`; `steady` has those with fewer dialogues, which are long.
    The same seed gives the same examples on every machine.
    """
    rng = Random(f"pocket|{seed}|{stage}")
    makers: dict[str, Callable[[Random], Example]] = {
        "dialogue_summary": partial(dialogue.example, source="corpus" if stage == "base" else "practice"),
        "factual_qa": factual.example,
        "multilingual_qa": multilingual.example,
        "financial_sentiment": sentiment.example,
        "attack_success": partial(policy.example, aligned=stage in ("aligned", "steady")),
    }
    skills, weights = list(STAGES[stage]), list(STAGES[stage].values())
    banned = heldout()
    while True:
        example = makers[rng.choices(skills, weights)[0]](rng)
        if plain(example.content) not in banned:
            yield example
