"""What segment drift sees, and what it must not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.metrics.drift import Drift, segment_drift
from holdfast.metrics.encoders import encoding_of

ANSWER = "Anna meets Ben at the station. They take the train to Lyon. Dinner costs 40 euros. Everyone is happy."

SENTENCES = st.lists(st.sampled_from(ANSWER.split(". ")), max_size=6)


def drift(clean: str, perturbed: str, **options) -> Drift:
    return segment_drift([clean], [perturbed], encoding=encoding_of("lexical"), **options)[0]


def scores(clean: str, perturbed: str) -> dict[str, float]:
    return drift(clean, perturbed).scores()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("to Lyon", "to Nice", "name lyon -> nice"),
        ("40 euros", "90 euros", "number 40 euros -> 90 euros"),
        ("is happy", "is not happy", "negation added"),
        ("40 euros", "40 dollars", "number 40 euros -> 40 dollars"),
        ("Anna meets", "Clara meets", ""),
    ],
)
def test_one_planted_change_is_found_in_its_own_segment(before: str, after: str, reason: str) -> None:
    found = drift(ANSWER, ANSWER.replace(before, after))
    worst = found.worst
    assert worst is not None
    assert before in worst.segment.text
    assert worst.reason == reason
    assert sum(part.drift > 0 for part in found.clean) == 1


def test_a_planted_change_stands_out_more_in_its_segment_than_in_the_whole_answer() -> None:
    row = scores(ANSWER, ANSWER.replace("to Lyon", "to Nice"))
    assert row["hidden_drift"] > 0.5
    assert row["max_drift"] >= row["tail_drift"] >= row["mean_drift"] > 0


def test_segments_in_another_order_have_not_drifted() -> None:
    shuffled = "Everyone is happy. Dinner costs 40 euros. Anna meets Ben at the station. They take the train to Lyon."
    row = scores(ANSWER, shuffled)
    assert row["max_drift"] == pytest.approx(0, abs=1e-9)
    assert row["global_drift"] > 0


def test_identical_answers_have_exactly_no_drift() -> None:
    assert set(scores(ANSWER, ANSWER).values()) == {0.0}


@pytest.mark.parametrize(("clean", "perturbed", "drifted"), [("", "", 0.0), (ANSWER, "", 1.0), ("", ANSWER, 1.0)])
def test_empty_answers_follow_the_convention(clean: str, perturbed: str, drifted: float) -> None:
    row = scores(clean, perturbed)
    assert row["max_drift"] == row["tail_drift"] == row["mean_drift"] == row["global_drift"] == drifted


def test_a_segment_that_vanished_drifts() -> None:
    found = drift(ANSWER, ANSWER.replace(" Dinner costs 40 euros.", ""))
    assert found.worst.segment.text == "Dinner costs 40 euros."


def test_the_drift_of_a_segment_is_its_row_of_the_transport_cost() -> None:
    """The mean drift is the transport cost, whichever side it is summed over."""
    found = drift(ANSWER, "Ben sleeps. They take a plane to Lyon. Nobody paid.")
    for side in (found.clean, found.perturbed):
        masses = np.array([part.segment.mass for part in side], dtype=float)
        cost = float((masses / masses.sum()) @ [part.drift for part in side])
        assert cost == pytest.approx(found.scores()["mean_drift"], abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(ANSWER.split(". ")), max_size=6), st.lists(st.sampled_from(ANSWER.split(". ")), max_size=6)
)
def test_the_order_of_scores_holds_for_any_answers(clean: list[str], perturbed: list[str]) -> None:
    row = scores(". ".join(clean), ". ".join(perturbed))
    assert 1 >= row["max_drift"] >= row["tail_drift"] - 1e-9
    assert row["tail_drift"] >= row["mean_drift"] - 1e-9
    assert row["hidden_drift"] == pytest.approx(max(0.0, row["max_drift"] - row["global_drift"]))


def test_clauses_find_a_smaller_culprit_than_sentences() -> None:
    before = "Anna cooks the soup for everyone, and Ben pays 1,000 euros."
    found = drift(before, before.replace("1,000", "2,000"), granularity="clause")
    assert found.worst.segment.text == "and Ben pays 1,000 euros."
