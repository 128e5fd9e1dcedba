"""From a clean text to its variants: the seed of every random choice, and the record of what was changed."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import Any

from holdfast.perturbations.registry import named
from holdfast.perturbations.types import Variant


def make_variant(
    text: str,
    *,
    task: str,
    sample_id: str,
    perturbation: str,
    severity: str,
    repeat: int,
    seed: int,
    protect: Sequence[str] = (),
    paraphrases: Sequence[str] = (),
) -> Variant:
    """`text` under one perturbation, the same in every process, on every machine and in every order.

    `protect` names strings to leave alone; `paraphrases` are the sample's own, handed to the perturbations that
    declare them as an extra.

    >>> make_variant("What is the capital of France?", task="qa", sample_id="7", perturbation="typos",
    ...              severity="light", repeat=0, seed=0).text
    'Wht is the capital of France?'
    """
    from rapidfuzz.distance import Levenshtein

    entry = named(perturbation)
    given: dict[str, Any] = {"paraphrases": paraphrases}
    extras = {name: given[name] for name in entry.extras}
    rng = seed_for(task, sample_id, perturbation, severity, repeat, seed)
    result = entry.apply(text, entry.strength(severity), rng, protect=protect, **extras)
    changed = result.text
    rate = Levenshtein.normalized_distance(text, changed)
    return Variant(changed, perturbation, severity, repeat, result.edits, rate)


def clean_variant(text: str) -> Variant:
    """The variant with no perturbation.

    >>> clean_variant("a cat").perturbation
    'clean'
    """
    return Variant(text, "clean", "", 0, (), 0.0)


def seed_for(task: str, sample_id: str, perturbation: str, severity: str, repeat: int, seed: int) -> Random:
    """A generator of its own for each variant, seeded by BLAKE2b over the fields.

    The fields are joined as ASCII JSON, so that no two different tuples give the same bytes (`("a", "b|c")` and
    `("a|b", "c")` differ) and lone surrogates have bytes at all.

    >>> seed_for("qa", "7", "typos", "light", 0, 0).random() == seed_for("qa", "7", "typos", "light", 0, 0).random()
    True
    """
    fields = json.dumps([task, sample_id, perturbation, severity, repeat, seed]).encode("ascii")
    return Random(int.from_bytes(blake2b(fields, digest_size=16).digest(), "big"))
