"""Pairs of answers that people labelled: did the meaning change, and how?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

from holdfast.errors import UserError

EMBEDDED = ("drift_pairs_build.jsonl", "drift_pairs_test.jsonl")
_TEXTS = ("id", "domain", "kind", "clean", "perturbed")
_FIELDS = ("id", "domain", "kind", "changed", "clean", "perturbed")


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two answers, whether the second says something else than the first, and what kind of change lies between them.

    `split` is the half it belongs to: rules and thresholds are made on `build`, judged on `test`.
    """

    id: str
    domain: str
    kind: str
    changed: bool
    clean: str
    perturbed: str
    split: Literal["build", "test"]


def embedded_pairs() -> list[LabelledPair]:
    """The labelled set that comes with Holdfast, written for it by hand: both halves."""
    pairs = []
    for name in EMBEDDED:
        lines = (files("holdfast.metrics") / "data" / name).read_text("utf-8").split("\n")
        pairs += _pairs(lines, name, "build" if "build" in name else "test")
    return pairs


def read_pairs(path: Path) -> list[LabelledPair]:
    """Pairs of your own: JSON lines with `id`, `domain`, `kind`, `changed`, `clean` and `perturbed`; every second
    one of the changed and of the unchanged is kept for judging. Raises UserError naming the line that can't be read."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"no file '{path}'") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read '{path}': {error}") from None
    pairs = _pairs(lines, str(path), "build")
    seen = {True: 0, False: 0}
    split = []
    for pair in pairs:
        seen[pair.changed] += 1
        split.append(pair if seen[pair.changed] % 2 else replace(pair, split="test"))
    return split


def _pairs(lines: Iterable[str], where: str, split: Literal["build", "test"]) -> list[LabelledPair]:
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            fields = {name: row[name] for name in _FIELDS}
            if not isinstance(row["changed"], bool) or not all(isinstance(fields[n], str) for n in _TEXTS):
                raise TypeError("'changed' must be true or false, the others texts")
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{where}, line {number}: {error}; a pair has {', '.join(_FIELDS)}") from None
        pairs.append(LabelledPair(**fields, split=split))
    return pairs
