"""Labelled pairs: the shipped set and user files."""

import json
from collections import Counter
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.metrics.labelled_pairs import LabelledPair, embedded_pairs, read_any_pairs, read_pairs

CHANGED = {
    "number", "name", "negation", "antonym", "quantifier", "argument_swap", "date", "unit", "omission", "addition",
    "contradiction",
}  # fmt: skip
UNCHANGED = {"paraphrase", "reorder", "split_merge", "synonym", "abbreviation", "number_format", "typo", "case"}
DOMAINS = {"summary", "qa", "finance", "support", "safety"}
ROW = {"id": "a", "domain": "qa", "kind": "number", "changed": True, "clean": "Six.", "perturbed": "Ten."}


@pytest.fixture(scope="module")
def pairs() -> list[LabelledPair]:
    return embedded_pairs()


def test_both_halves_cover_every_kind_and_domain(pairs: list[LabelledPair]) -> None:
    assert len(pairs) >= 400
    for split in ("build", "test"):
        half = [pair for pair in pairs if pair.split == split]
        counts = Counter(pair.kind for pair in half)
        assert set(counts) == CHANGED | UNCHANGED
        assert min(counts.values()) >= 15
        assert {pair.domain for pair in half} == DOMAINS


def test_the_label_of_each_pair_matches_its_kind(pairs: list[LabelledPair]) -> None:
    assert all(pair.changed == (pair.kind in CHANGED) for pair in pairs)


def test_ids_and_texts_are_unique(pairs: list[LabelledPair]) -> None:
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert len({text for pair in pairs for text in (pair.clean, pair.perturbed)}) == 2 * len(pairs)


@pytest.mark.parametrize("broken", ["{", "[]", '{"id": "b"}'])
def test_a_broken_line_is_reported_with_its_number(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n\n{broken}\n", "utf-8")
    with pytest.raises(UserError, match=r"pairs\.jsonl, line 3"):
        read_pairs(path)


def test_every_second_pair_of_a_user_file_is_test_data(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps({**ROW, "id": name}) + "\n" for name in "abc"), "utf-8")
    assert [(pair.id, pair.split) for pair in read_pairs(path)] == [("a", "build"), ("b", "test"), ("c", "build")]


@pytest.mark.parametrize("label", ['"changed": "false"', '"paraphrase": "0"', '"changed": 2'])
def test_labels_that_are_no_truth_values_are_refused(label: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f'{{"a": "x", "b": "y", {label}}}')
    with pytest.raises(UserError, match="line 1: a pair has texts"):
        read_any_pairs(path)
