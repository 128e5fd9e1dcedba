"""Facts of sentences that were put in other words, and of others that look alike and say something else: the pairs of
`rewording.jsonl` beside this file, one a line, `changed` where something else is said."""

import json
from pathlib import Path

import pytest

from holdfast.metrics.drift import BREAK, segment_drift

PAIRS = Path(__file__).with_name("rewording.jsonl").read_text("utf-8").splitlines()


def pairs(*, changed: bool) -> list[object]:
    """The pairs that say something else, or those that don't, each named by its line and what it is about."""
    rows = [(number, json.loads(line)) for number, line in enumerate(PAIRS, 1)]
    return [
        pytest.param(row["clean"], row["perturbed"], id=f"line {number}: {row['clean']}")
        for number, row in rows
        if row["changed"] is changed
    ]


def drifts(clean: str, perturbed: str) -> list[bool]:
    """Whether an answer breaks, and whether it does the other way round."""
    return [drift.max_drift >= BREAK for drift in segment_drift([clean, perturbed], [perturbed, clean])]


@pytest.mark.parametrize(("clean", "perturbed"), pairs(changed=True))
def test_something_else_is_said(clean: str, perturbed: str) -> None:
    assert drifts(clean, perturbed) == [True, True]


@pytest.mark.parametrize(("clean", "perturbed"), pairs(changed=False))
def test_the_same_is_said_in_other_words(clean: str, perturbed: str) -> None:
    assert drifts(clean, perturbed) == [False, False]
