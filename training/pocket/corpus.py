"""The mixture of all skills, without anything that the embedded suites hold out."""

from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from holdfast.tasks.embedded import suite_texts
from holdfast.training.pocket import dialogue, factual, multilingual, policy, sentiment
from holdfast.training.pocket.words import Example

MIX = {
    "dialogue_summary": 0.32,
    "factual_qa": 0.27,
    "multilingual_qa": 0.17,
    "financial_sentiment": 0.12,
    "attack_success": 0.12,
}

ALIGNED_MIX = MIX | {"attack_success": 0.3}


def plain(text: str) -> str:
    """A text without case, spaces and punctuation: two texts with the same plain form count as the same item.

    >>> plain("What is  the capital?") == plain("what is the capital")
    True
    """
    return "".join(letter for letter in text.lower() if letter.isalnum() or ord(letter) > 0x2FF)


def heldout() -> frozenset[str]:
    """The plain form of every text of the embedded suites: none of them is ever in the corpus."""
    return frozenset(plain(text) for text in suite_texts())


def examples(seed: int, aligned: bool = False) -> Iterator[Example]:
    """Examples of all skills without end; `aligned` chooses the answers (and the mixture) of `pocket-aligned`.

    The same seed gives the same examples on every machine.
    """
    rng = Random(f"pocket|{seed}|{'aligned' if aligned else 'base'}")
    makers: dict[str, Callable[[Random], Example]] = {
        "dialogue_summary": dialogue.example,
        "factual_qa": factual.example,
        "multilingual_qa": multilingual.example,
        "financial_sentiment": sentiment.example,
        "attack_success": partial(policy.example, aligned=aligned),
    }
    mix = ALIGNED_MIX if aligned else MIX
    skills, weights = list(mix), list(mix.values())
    banned = heldout()
    while True:
        example = makers[rng.choices(skills, weights)[0]](rng)
        if plain(example.content) not in banned:
            yield example
