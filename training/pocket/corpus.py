"""The training corpus: a mixture of all skills, without any text of the embedded suites."""

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
    """Return a text without case, spaces and punctuation; texts with the same plain form count as the same item.

    >>> plain("What is  the capital?") == plain("what is the capital")
    True
    """
    return "".join(letter for letter in text.lower() if letter.isalnum() or ord(letter) > 0x2FF)


def heldout() -> frozenset[str]:
    """Return the plain forms of all texts in the embedded suites, which the corpus never contains."""
    return frozenset(plain(text) for text in suite_texts())


def examples(seed: int, stage: Stage = "base") -> Iterator[Example]:
    """Yield examples of all skills without end.

    The same seed and stage give the same examples on every machine.

    Args:
        seed: The seed of the corpus.
        stage: The stage of training. After `base`, `practice` has more dialogues, with unseen names, so that the model
            learns to copy them. `aligned` has such names as well, and refuses forbidden requests. `steady` is `aligned`
            with fewer dialogues, which are long.
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
