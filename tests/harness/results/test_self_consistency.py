"""The leaderboard's self_consistency: how far the answers to variants of one sample agree, without a reference."""

import json
from collections.abc import Callable
from itertools import combinations

import pandas as pd
import pytest
from rouge_score import rouge_scorer

from holdfast import Results, leaderboard
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]

CONTENTS = ("Tell me about the old harbour and its boats", "Tell me why the train to Lyon was late today")


@pytest.fixture
def results(run: Evaluate) -> Results:
    task = Task("texts", tuple(Sample(str(i), text) for i, text in enumerate(CONTENTS)), ("answer_rate",))
    return run(
        Fake(rule=lambda request: "I know" if request.adapter == "base" else request.prompt),
        tasks=task,
        perturbations="word_deletion@0.3,word_swap@0.3",
        repeats=2,
    )


def pairwise(results: Results, adapter: str) -> float:
    """The mean over samples of the mean ROUGE-L of all pairs of answers, by the rouge-score package."""
    score = rouge_scorer.RougeScorer(["rougeL"]).score
    lines = pd.DataFrame([json.loads(line) for line in (results.path / "samples.jsonl").open()])
    mine = lines[(lines["adapter"] == adapter) & (lines["perturbation"] != "identity")]
    assert (mine.groupby("sample").size() == 5).all()
    of_samples = [
        pd.Series([score(*pair)["rougeL"].fmeasure for pair in combinations(said, 2)]).mean()
        for said in mine.groupby("sample")["output"].agg(list)
    ]
    return float(pd.Series(of_samples).mean())


def test_it_is_the_mean_rouge_l_of_every_two_answers(results: Results) -> None:
    board = results.leaderboard.set_index("adapter")["self_consistency"]
    assert board["base"] == 1
    assert 0.3 < board["other"] < 1
    assert board["other"] == pytest.approx(pairwise(results, "other"), abs=1e-6)


def test_a_part_of_the_answers_has_its_own(results: Results) -> None:
    board = leaderboard(results, by="perturbation").set_index(["adapter", "perturbation"])["self_consistency"]
    assert board["base"].to_list() == [1, 1]
    assert board["other", "word_deletion"] != board["other", "word_swap"]
