"""From a clean text to its variants: the seed of every random choice, and the record of what was changed."""

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
    """One text under (perturbation, severity, repeat), with its edits and the realised edit rate.

    `edit_rate` is the Levenshtein distance to the clean text over the longer length, in [0, 1]; for texts of more than
    10,000 characters the distances inside the edits are added up, which is the same wherever edits are apart.
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
    """`text` under one perturbation, the same in every process, on every machine and in every order.

    `protect` names strings to leave alone; `paraphrases` are the sample's own, handed to the perturbations that
    declare them as an extra. The parts of a composition (`typos+emoji`) are applied in order, each with the seed
    that it has alone.

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
            wrong = _wrong(made, result.text)
        except UserError:
            raise
        except Exception as error:
            why = f"fails on sample '{sample_id}' of '{task}' ({type(error).__name__}: {first_line(error)})"
            raise UserError(f"perturbation '{part.name}' {why}: {_ADVICE}") from error
        if wrong:
            raise UserError(f"perturbation '{part.name}' {wrong}: {_ADVICE}")
        result = compose(result, made)
    changed = result.text
    return Variant(changed, perturbation, severity, repeat, result.edits, _edit_rate(result, changed))


_ADVICE = "holdfast.perturbations.testing.check_perturbation says what else is wrong with it"


def _wrong(made: object, text: str) -> str:
    """What no perturbation may return, whoever wrote it: edits that are not true to the text, or that leave nothing."""
    if not isinstance(made, Edits):
        return f"returned {type(made).__name__}, not Edits"
    at, left = 0, len(text)
    for position, removed, inserted in made.edits:
        if position < at or not text.startswith(removed, position):
            return f"reports an edit that its text does not bear out ({removed!r} at {position} of {text[:40]!r})"
        at = position + len(removed)
        left += len(inserted) - len(removed)
    return "leaves nothing of a text" if text and not left else ""


_WHOLE = 10_000  # characters up to which texts are compared whole
_PIECE = 100_000  # and up to which the two sides of one edit are


def _edit_rate(result: Edits, changed: str) -> float:
    """The Levenshtein distance between the two texts over the longer length.

    It takes quadratic time, so for longer texts the distances inside the edits are added up: the same where edits are
    apart, a little more where one makes up for what another does to the text near it.
    """
    from rapidfuzz.distance import Levenshtein

    longer = max(len(result.original), len(changed))
    if longer <= _WHOLE:
        return Levenshtein.normalized_distance(result.original, changed)
    return min(1.0, sum(map(_cost, result.edits)) / longer)


def _cost(edit: Edit) -> int:
    """The distance between the sides of an edit; for very long ones its upper bound, the longer length."""
    from rapidfuzz.distance import Levenshtein

    longer = max(len(edit.removed), len(edit.inserted))
    return longer if longer > _PIECE else Levenshtein.distance(edit.removed, edit.inserted)


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
