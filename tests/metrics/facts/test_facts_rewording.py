"""Drift tells paraphrases from changed meanings, on the pairs of `rewording.jsonl` in this folder (`changed` is true if
the meaning changes)."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from holdfast.metrics.drift import BREAK, segment_drift

ROWS = [json.loads(line) for line in Path(__file__).with_name("rewording.jsonl").read_text("utf-8").splitlines()]
CHANGED = np.array([row["changed"] for row in ROWS])


@pytest.fixture(scope="module")
def drifts() -> np.ndarray:
    clean, perturbed = ([row[side] for row in ROWS] for side in ("clean", "perturbed"))
    return np.array([drift.max_drift for drift in segment_drift(clean, perturbed)])


def test_changed_meanings_drift_farther_than_paraphrases(drifts: np.ndarray) -> None:
    more = CHANGED.sum()
    auroc = (rankdata(drifts)[CHANGED].sum() - more * (more + 1) / 2) / (more * (~CHANGED).sum())
    assert auroc > 0.9


def test_few_paraphrases_break_and_few_changes_are_missed(drifts: np.ndarray) -> None:
    assert (drifts[~CHANGED] >= BREAK).mean() < 0.15
    assert (drifts[CHANGED] < BREAK).mean() < 0.2
