"""Drift tells paraphrases from changed meanings, on the pairs of `rewording.jsonl` in this folder (`changed` is true if
the meaning changes)."""

import json
from pathlib import Path

import pytest

from holdfast.metrics.drift import BREAK, segment_drift

PAIRS = Path(__file__).with_name("rewording.jsonl").read_text("utf-8").splitlines()


def pairs(*, changed: bool) -> list[object]:
    """Return the pairs with or without a change in meaning, identified by line number and clean text."""
    rows = [(number, json.loads(line)) for number, line in enumerate(PAIRS, 1)]
    return [
        pytest.param(row["clean"], row["perturbed"], id=f"line {number}: {row['clean']}")
        for number, row in rows
        if row["changed"] is changed
    ]


def breaks(clean: str, perturbed: str) -> list[bool]:
    """Return whether the drift reaches the break threshold, in either direction."""
    return [drift.max_drift >= BREAK for drift in segment_drift([clean, perturbed], [perturbed, clean])]


@pytest.mark.parametrize(("clean", "perturbed"), pairs(changed=True))
def test_a_changed_meaning_breaks(clean: str, perturbed: str) -> None:
    assert breaks(clean, perturbed) == [True, True]


@pytest.mark.parametrize(("clean", "perturbed"), pairs(changed=False))
def test_a_paraphrase_does_not_break(clean: str, perturbed: str) -> None:
    assert breaks(clean, perturbed) == [False, False]
