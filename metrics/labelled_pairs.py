"""Pairs of answers labelled by people: whether the meaning changed, and how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Literal

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


def read_any_pairs(path: Path) -> list[tuple[str, str, bool]]:
    """Read (clean, perturbed, changed) from a JSONL file: labelled pairs, or a public set as it is published.

    Two texts `a` and `b` with one of: `changed`; `paraphrase` (MRPC); `similarity` from 0 to 5 (STS-B: from 4.5 counts
    as unchanged, 1.5 to 3 as changed); `a_to_b` and `b_to_a` (SICK: entailed both ways against contradicted). Pairs
    that such a set doesn't call clearly changed or unchanged are left out.

    Raises:
        UserError: If the file can't be read, or a line is not such a pair.
    """
    found = []
    for number, line in enumerate(read_text(path, limit=None).split("\n"), 1):
        row = parse_json(line, f"{path}, line {number}") if line.strip() else None
        try:
            if row is not None and (changed := _label(row)) is not None:
                texts = (row["clean"], row["perturbed"]) if "clean" in row else (row["a"], row["b"])
                if not all(isinstance(text, str) for text in texts):
                    raise TypeError
                found.append((*texts, changed))
        except (KeyError, TypeError):
            raise UserError(
                f"{path}, line {number}: a pair has texts (clean and perturbed, or a and b) and a label (changed, "
                "paraphrase, similarity, or a_to_b and b_to_a)"
            ) from None
    return found


def drawn_pairs(path: Path, most: int) -> list[tuple[str, str, bool]]:
    """Read (clean, perturbed, changed) as `read_any_pairs` does: at most `most` pairs of either class, drawn at random,
    always the same."""
    found = read_any_pairs(path)
    Random(0).shuffle(found)
    return [pair for kind in (False, True) for pair in [each for each in found if each[2] is kind][:most]]


def _label(row: Mapping[str, Any]) -> bool | None:
    """Return whether the meaning of a pair changed; None if the set doesn't say so clearly."""
    for name, changed in (("changed", True), ("paraphrase", False)):
        if name in row:
            if row[name] not in (0, 1):
                raise TypeError
            return bool(row[name]) is changed
    if "similarity" in row:
        return False if row["similarity"] >= 4.5 else True if 1.5 <= row["similarity"] <= 3 else None
    both = {row["a_to_b"], row["b_to_a"]}
    return False if both == {"entails"} else True if "contradicts" in both else None


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
