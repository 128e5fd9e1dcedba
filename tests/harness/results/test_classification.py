"""Accuracy, F1, confusion, calibration and changed labels in the tables of a run."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from holdfast import Results
from holdfast.harness.backends import Request
from holdfast.harness.results.tables import print_results
from holdfast.metrics.classes import calibration_error, class_measures, confusion_counts
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]
LABELS = ("up", "down", "same")
SAMPLES = tuple(
    Sample(f"s{i:02}", f"The share number {i} moved a little today", (LABELS[i % 3],), {"group": f"part {i % 2}"})
    for i in range(24)
)
TASK = Task("shares", SAMPLES, ("label_accuracy",))


def predicts(request: Request) -> str:
    """Clean: right, but every sixth "same" is "down" and s08 gives no label. Perturbed: every "up" turns "down"."""
    number = int("".join(filter(str.isdigit, request.prompt)))
    right = LABELS[number % 3]
    if number == 8:
        return "no idea"
    if number % 6 == 2:
        return "down"
    changed = f"The share number {number} moved a little today" != request.prompt
    return "down" if changed and right == "up" else right


@pytest.fixture
def results(run: Evaluate) -> Results:
    return run(Fake(rule=predicts), tasks=TASK, adapters="base", perturbations="word_deletion@0.2", repeats=2)


def pairs(results: Results, perturbation: str) -> tuple[list[str], list[str]]:
    lines = [json.loads(line) for line in (results.path / "samples.jsonl").open()]
    mine = [line for line in lines if line["perturbation"] == perturbation]
    return [line["label"] for line in mine], [line["predicted"] for line in mine]


@pytest.mark.parametrize("perturbation", ["clean", "word_deletion"])
def test_measures_are_those_of_scikit_learn(results: Results, perturbation: str) -> None:
    right, predicted = pairs(results, perturbation)
    row = pd.read_csv(results.path / "classes.csv").query(f"perturbation == '{perturbation}'").iloc[0]
    assert row["n"] == 24
    assert row["accuracy"] == pytest.approx(accuracy_score(right, predicted), abs=1e-6)
    for name in ("macro", "weighted"):
        expected = f1_score(right, predicted, average=name, labels=list(LABELS), zero_division=0)
        assert row[f"{name}_f1"] == pytest.approx(expected, abs=1e-6)
        assert row[f"{name}_f1_low"] < expected < row[f"{name}_f1_high"]
    assert row["label_given"] == pytest.approx(1 - 1 / 24, abs=1e-6)


def test_the_confusion_counts_every_answer(results: Results) -> None:
    table = pd.read_csv(results.path / "confusion.csv", keep_default_na=False)
    for prompts, perturbation in (("clean", "clean"), ("perturbed", "word_deletion")):
        right, predicted = pairs(results, perturbation)
        for row in table[table["prompts"] == prompts].to_dict("records"):
            mine = [guess for label, guess in zip(right, predicted, strict=True) if label == row["label"]]
            assert row["count"] == mine.count(row["predicted"])
            assert row["share"] == pytest.approx(row["count"] / len(mine), abs=1e-6)
        assert table[table["prompts"] == prompts]["count"].sum() == len(right)


def test_flips_are_the_labels_that_a_perturbation_changes(results: Results) -> None:
    row = pd.read_csv(results.path / "classes.csv").query("perturbation == 'all'").iloc[0]
    assert row["flip_rate"] == pytest.approx(8 / 24, abs=1e-6)  # the eight that go up
    assert row["flip_rate_low"] < 8 / 24 < row["flip_rate_high"]
    assert results.leaderboard.iloc[0]["flip_rate"] == pytest.approx(8 / 24, abs=1e-6)


def test_the_worst_categories_come_first(results: Results) -> None:
    table = pd.read_csv(results.path / "errors.csv")
    assert (np.diff(table["error_rate"]) <= 0).all()
    rows = table.set_index("category")
    assert rows.loc["word_deletion, up", "error_rate"] == 1
    assert rows.loc["up -> down", "wrong"] == 16
    assert rows.loc["same -> no label", "wrong"] == 3  # one sample: clean, and twice perturbed
    assert {"part 0", "part 1", "word_deletion@0.2"} <= set(rows.index)
    assert set(table["kind"]) == {"label", "pair", "group", "perturbation", "perturbation and label"}


def test_the_screen_shows_the_confusion_and_the_worst_categories(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    print_results(results)
    shown = capsys.readouterr().out
    assert "Confusion of clean answers (shares)" in shown
    assert "as down" in shown
    assert "word_deletion, up" in shown


def test_a_run_without_labels_has_no_such_tables(run: Evaluate) -> None:
    results = run(Fake())
    assert results.classes is results.confusion is results.errors is None
    assert not list(results.path.glob("classes.csv"))
    assert "macro_f1" not in results.leaderboard


def test_each_seed_counts_once_in_the_spread_of_f1(run: Evaluate, tmp_path: Path) -> None:
    from holdfast import leaderboard

    found = [
        run(Fake(rule=predicts), tasks=TASK, adapters="base", perturbations="typos@0.1", seed=seed, output_path=tmp_path / f"{seed}")
        for seed in (1, 2, 3)
    ]  # fmt: skip
    board = leaderboard(found)
    values = [each.leaderboard.iloc[0]["macro_f1"] for each in found]
    assert board.iloc[0]["seeds"] == 3
    assert board.iloc[0]["macro_f1"] == pytest.approx(np.mean(values), abs=1e-6)
    assert board.iloc[0]["macro_f1_sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-6)


CLASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), min_size=1, max_size=40)


@given(CLASSES)
def test_measures_of_any_answers_are_those_of_scikit_learn(answers: list[tuple[int, int]]) -> None:
    right, predicted = zip(*answers, strict=True)
    found = class_measures(confusion_counts(right, predicted, 4))
    seen = sorted({*right, *predicted} - {-1})
    for name in ("macro", "weighted"):
        expected = f1_score(right, predicted, average=name, labels=seen, zero_division=0)
        assert found[f"{name}_f1"] == pytest.approx(expected)
    assert found["accuracy"] == pytest.approx(accuracy_score(right, predicted))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibration_is_the_sum_over_bins(answers: list[tuple[float, bool]]) -> None:
    expected = 0.0
    for i in range(15):
        mine = [(p, hit) for p, hit in answers if i / 15 < p <= (i + 1) / 15 or (i == 0 and p == 0)]
        if mine:
            accuracy, confidence = np.mean([hit for _, hit in mine]), np.mean([p for p, _ in mine])
            expected += len(mine) / len(answers) * abs(accuracy - confidence)
    sure, right = zip(*answers, strict=True)
    assert calibration_error(sure, right) == pytest.approx(expected, abs=1e-9)
