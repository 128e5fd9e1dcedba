"""Pairs of answers labelled by people: whether the meaning changed, and how."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

from holdfast.errors import UserError
from holdfast.reading import parse_json, read_text

EMBEDDED = ("drift_pairs_build.jsonl", "drift_pairs_test.jsonl")
_TEXTS = ("id", "domain", "kind", "clean", "perturbed")
_FIELDS = ("id", "domain", "kind", "changed", "clean", "perturbed")


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two answers, whether the second changes the meaning of the first, and the kind of change.

    `split` is the half that the pair belongs to: rules and thresholds are developed on `build` and evaluated on `test`.
    """

    id: str
    domain: str
    kind: str
    changed: bool
    clean: str
    perturbed: str
    split: Literal["build", "test"]


def embedded_pairs() -> list[LabelledPair]:
    """Return both halves of the hand-written labelled set that ships with Holdfast."""
    pairs = []
    for name in EMBEDDED:
        lines = (files("holdfast.metrics") / "data" / name).read_text("utf-8").split("\n")
        pairs += _pairs(lines, name, "build" if "build" in name else "test")
    return pairs


def read_pairs(path: Path) -> list[LabelledPair]:
    """Read labelled pairs from a JSONL file, and assign them to the build and test halves.

    Args:
        path: A file with one object per line, with `id`, `domain`, `kind`, `changed`, `clean` and `perturbed`.

    Returns:
        The pairs in file order; every second changed pair and every second unchanged pair is in the test half.

    Raises:
        UserError: If the file can't be read, or a line is not a valid pair.
    """
    lines = read_text(path, limit=None).split("\n")
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
            row = parse_json(line, f"{where}, line {number}")
            fields = {name: row[name] for name in _FIELDS}
            if not isinstance(row["changed"], bool) or not all(isinstance(fields[n], str) for n in _TEXTS):
                raise TypeError("'changed' must be true or false, and the other fields must be strings")
        except KeyError as error:
            raise UserError(f"{where}, line {number}: missing field {error}; a pair has {', '.join(_FIELDS)}") from None
        except TypeError as error:
            raise UserError(f"{where}, line {number}: {error}; a pair has {', '.join(_FIELDS)}") from None
        pairs.append(LabelledPair(**fields, split=split))
    return pairs
