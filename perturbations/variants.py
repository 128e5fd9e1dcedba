"""Creates variants of a clean text: seeds every random choice and records every edit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.perturbations.composition import compose, parts_of
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.specs import parse


@dataclass(frozen=True, slots=True)
class Variant:
    """A text under one perturbation, severity and repeat.

    Attributes:
        text: The perturbed text.
        perturbation: Name of the perturbation or composition.
        severity: Severity as the user gave it.
        repeat: Index of the repeat, from 0.
        edits: Edits that turn the clean text into `text`.
        edit_rate: Levenshtein distance to the clean text divided by the longer length, in [0, 1]. Above 10,000
            characters, the sum of the distances within the edits, which is the same if the edits don't interact.
    """

    text: str
    perturbation: str
    severity: str
    repeat: int
    edits: tuple[Edit, ...]
    edit_rate: float


def perturb(
    text: str, spec: str, *, seed: int = 0, protect: Sequence[str] = (), paraphrases: Sequence[str] = ()
) -> Edits:
    """Perturb a text, as `holdfast perturb` does in a pipe.

    Args:
        text: Any text.
        spec: A perturbation, as in `typos@0.1`, `emoji@heavy` or `typos+case`; `light` if it names no severity.
        seed: Equal seeds give equal edits, on every machine.
        protect: Strings that must not change.
        paraphrases: Other wordings of the text, for `paraphrase`.

    Returns:
        The edits; their `text` is the perturbed text.

    Raises:
        UserError: For an unknown perturbation, with the nearest name, or severity.

    >>> perturb("What is the capital of France?", "typos@0.1", seed=0).text
    'What is te caoital of Fance?'
    """
    if not isinstance(text, str):
        raise UserError(f"perturb takes a string, got {type(text).__name__}")
    if not isinstance(spec, str):
        raise UserError(f"a perturbation must be a string such as typos@0.1, got {type(spec).__name__}")
    name, severity = parse(spec)
    variant = make_variant(
        text,
        task="-",
        sample_id="-",
        perturbation=name,
        severity=severity or "light",
        repeat=0,
        seed=seed,
        protect=protect,
        paraphrases=paraphrases,
    )
    return Edits(text, variant.edits)


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
    """Apply one perturbation to `text`, identically in every process, on every machine and in any order.

    The parts of a composition (`typos+emoji`) are applied in order, each with the seed it would have alone.

    Args:
        text: The clean text.
        task: Name of the task; part of the seed.
        sample_id: Id of the sample; part of the seed.
        perturbation: Name or composition; part of the seed.
        severity: `light`, `heavy` or a number between 0 and 1; part of the seed.
        repeat: Index of the repeat; part of the seed.
        seed: The run's seed.
        protect: Strings that must not change.
        paraphrases: The sample's own paraphrases, passed to perturbations that request them.

    Raises:
        UserError: If the name or severity is unknown, or the perturbation fails or returns invalid edits.

    >>> make_variant("What is the capital of France?", task="qa", sample_id="7", perturbation="typos",
    ...              severity="light", repeat=0, seed=0).text
    'Wat is the capital of France?'
    """
    given: dict[str, Any] = {"paraphrases": paraphrases}
    result = Edits(text)
    for part in parts_of(perturbation):
        extras = {name: given[name] for name in part.extras}
        rng = seed_for(task, sample_id, part.name, severity, repeat, seed)
        try:
            made = part.apply(result.text, part.strength(severity), rng, protect=protect, **extras)
            problem = _find_problem(made, result.text)
        except UserError:
            raise
        except Exception as error:
            why = f"fails on sample '{sample_id}' of '{task}' ({type(error).__name__}: {first_line(error)})"
            raise UserError(f"perturbation '{part.name}' {why}: {_ADVICE}") from error
        if problem:
            raise UserError(f"perturbation '{part.name}' {problem}: {_ADVICE}")
        result = compose(result, made)
    changed = result.text
    return Variant(changed, perturbation, severity, repeat, result.edits, edit_rate(result, changed))


_ADVICE = "run holdfast.perturbations.testing.check_perturbation on it to find all problems"


def _find_problem(made: object, text: str) -> str:
    """Return what is wrong with the returned edits ("" if nothing): they must match the text and leave some of it."""
    if not isinstance(made, Edits):
        return f"returned {type(made).__name__}, expected Edits"
    at, left = 0, len(text)
    for position, removed, inserted in made.edits:
        if position < at or not text.startswith(removed, position):
            return f"returned an edit that doesn't match the text ({removed!r} at {position} of {text[:40]!r})"
        at = position + len(removed)
        left += len(inserted) - len(removed)
    return "deleted the whole text" if text and not left else ""


_WHOLE = 10_000  # maximum length in characters for comparing whole texts
_PIECE = 100_000  # maximum length for comparing the two sides of one edit


def edit_rate(result: Edits, changed: str) -> float:
    """Return the Levenshtein distance between the original text and the changed one, divided by the longer length.

    The distance takes quadratic time, so longer texts use the sum of the distances within the edits: equal if the edits
    are far apart, slightly larger if one partly undoes another.
    """
    from rapidfuzz.distance import Levenshtein

    longer = max(len(result.original), len(changed))
    if longer <= _WHOLE:
        return Levenshtein.normalized_distance(result.original, changed)
    return min(1.0, sum(map(_cost, result.edits)) / longer)


def _cost(edit: Edit) -> int:
    """Return the distance between the two sides of an edit; for very long ones its upper bound, the longer length."""
    from rapidfuzz.distance import Levenshtein

    longer = max(len(edit.removed), len(edit.inserted))
    return longer if longer > _PIECE else Levenshtein.distance(edit.removed, edit.inserted)


def clean_variant(text: str) -> Variant:
    """Return the unperturbed text as a variant.

    >>> clean_variant("a cat").perturbation
    'clean'
    """
    return Variant(text, "clean", "", 0, (), 0.0)


def seed_for(task: str, sample_id: str, perturbation: str, severity: str, repeat: int, seed: int) -> Random:
    """Return a random generator for one variant, seeded with BLAKE2b over the fields.

    The fields are joined as ASCII JSON, so different tuples never collide (`("a", "b|c")` and `("a|b", "c")` differ)
    and lone surrogates can be encoded.

    >>> seed_for("qa", "7", "typos", "light", 0, 0).random() == seed_for("qa", "7", "typos", "light", 0, 0).random()
    True
    """
    fields = json.dumps([task, sample_id, perturbation, severity, repeat, seed]).encode("ascii")
    return Random(int.from_bytes(blake2b(fields, digest_size=16).digest(), "big"))
