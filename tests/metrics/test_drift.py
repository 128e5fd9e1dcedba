"""Segment drift: what must count as drift, and what must not."""

from collections.abc import Sequence

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.metrics.costs import shipped_costs
from holdfast.metrics.drift import BREAK, Drift, SegmentDrift, segment_drift
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.facts import comparer
from holdfast.metrics.testing import NASTY

ANSWER = "Anna meets Ben at the station. They take the train to Lyon. Dinner costs 40 euros. Everyone is happy."

OTHER = "Ben sleeps. They take a plane to Lyon. Dinner costs 40 dollars. Nobody paid."


def drift(clean: str, perturbed: str, **options) -> Drift:
    return segment_drift([clean], [perturbed], encoding=encoding_of("lexical"), **options)[0]


def scores(clean: str, perturbed: str) -> dict[str, float]:
    return drift(clean, perturbed).scores()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("to Lyon", "to Nice", "name Lyon -> Nice"),
        ("40 euros", "90 euros", "number 40 euros -> 90 euros"),
        ("is happy", "is not happy", "negation added"),
        ("40 euros", "40 dollars", "unit 40 euros -> 40 dollars"),
        ("Anna meets", "Clara meets", "name Anna -> Clara"),
    ],
)
def test_one_planted_change_is_found_in_its_segment(before: str, after: str, reason: str) -> None:
    found = drift(ANSWER, ANSWER.replace(before, after))
    worst = found.worst
    assert worst is not None
    assert before in worst.segment.text
    assert worst.reason == reason
    assert sum(part.drift > 0 for part in found.clean) == 1


def test_a_local_change_is_hidden_in_the_whole_answer_distance() -> None:
    row = scores(ANSWER, ANSWER.replace("to Lyon", "to Nice"))
    assert row["hidden_drift"] > 0.5
    assert row["max_drift"] >= row["tail_drift"] >= row["mean_drift"] > 0


def test_reordering_segments_is_not_drift() -> None:
    shuffled = "Everyone is happy. Dinner costs 40 euros. Anna meets Ben at the station. They take the train to Lyon."
    row = scores(ANSWER, shuffled)
    assert row["max_drift"] == pytest.approx(0, abs=1e-9)
    assert row["global_drift"] > 0


def test_identical_answers_have_zero_drift() -> None:
    assert set(scores(ANSWER, ANSWER).values()) == {0.0}


@pytest.mark.parametrize(("clean", "perturbed", "drifted"), [("", "", 0.0), (ANSWER, "", 1.0), ("", ANSWER, 1.0)])
def test_a_missing_answer_drifts_fully_and_two_do_not(clean: str, perturbed: str, drifted: float) -> None:
    row = scores(clean, perturbed)
    assert row["max_drift"] == row["tail_drift"] == row["mean_drift"] == row["global_drift"] == drifted


def test_an_omitted_segment_drifts() -> None:
    found = drift(ANSWER, ANSWER.replace(" Dinner costs 40 euros.", ""))
    assert found.worst.segment.text == "Dinner costs 40 euros."


def weighted_mean(side: Sequence[SegmentDrift]) -> float:
    masses = np.array([part.segment.mass for part in side], dtype=float)
    return float((masses / masses.sum()) @ [part.drift for part in side])


def test_mean_drift_averages_both_sides_by_mass() -> None:
    found = drift(ANSWER, "Ben sleeps. They take a plane to Lyon. Nobody paid.")
    both = (weighted_mean(found.clean) + weighted_mean(found.perturbed)) / 2
    assert both == pytest.approx(found.mean_drift, abs=1e-9)


def naive(clean: Sequence[str], perturbed: Sequence[str]) -> float:
    """Compute mean drift by its definition: the cost C_ij of all differences under the exact transport plan that
    minimises C plus a share of the semantic distance, with every pair compared."""
    encode, compare, costs = encoding_of("lexical").main, comparer(clean, perturbed), shipped_costs().of(vectors=False)
    semantic = np.clip(1 - encode(clean).astype(float) @ encode(perturbed).astype(float).T, 0, 1) ** 2
    cost = np.zeros_like(semantic)
    for i, j in np.ndindex(cost.shape):
        if clean[i] != perturbed[j]:
            total = costs.weights["meaning"] * semantic[i, j] + costs.total(compare((i,), (j,)))
            cost[i, j] = costs.cost(total)
        else:
            semantic[i, j] = 0.0
    masses = np.full(len(clean), 1 / len(clean)), np.full(len(perturbed), 1 / len(perturbed))
    return float((ot.emd(*masses, semantic) * cost).sum())


EQUALLY_LONG = [f"{who} {does} {where}." for who in ("Anna", "Ben") for does in ("meets", "calls", "warns") for where in ("guests", "tourists")]  # fmt: skip
ANY_FOUR = st.lists(st.sampled_from(EQUALLY_LONG), min_size=4, max_size=4, unique=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ANY_FOUR, ANY_FOUR)
def test_the_fast_path_equals_the_naive_computation(clean: list[str], perturbed: list[str]) -> None:
    assert scores(" ".join(clean), " ".join(perturbed))["mean_drift"] == pytest.approx(
        naive(clean, perturbed), abs=1e-6
    )


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Anna left because Ben was late.", "Ben was late. So Anna left."),
        ("Sales fell by 3 percent. Costs rose by 2 percent.", "Sales fell by 3 percent, and costs rose by 2 percent."),
        (ANSWER, ANSWER.lower()),
        (ANSWER, ANSWER.upper()),
        (ANSWER, ANSWER.replace("station", "statoin").replace("Everyone", "Evreyone")),
        (ANSWER, ANSWER.replace("40 euros", "€40")),
        ("The doctor bought a big car.", "The physician purchased a large automobile."),
    ],
)
def test_rewording_and_resegmenting_drift_little(clean: str, perturbed: str) -> None:
    assert scores(clean, perturbed)["max_drift"] < 0.3


def test_drift_is_symmetric() -> None:
    there, back = drift(ANSWER, OTHER), drift(OTHER, ANSWER)
    for name in ("max_drift", "tail_drift", "mean_drift", "global_drift", "hidden_drift"):
        assert there.scores()[name] == pytest.approx(back.scores()[name], abs=1e-9)
    assert (there.lost_mass, there.added_mass) == (back.added_mass, back.lost_mass)


def test_more_changes_never_lower_mean_drift() -> None:
    changes = [("Anna", "Clara"), ("Lyon", "Nice"), ("40", "90"), ("happy", "unhappy")]
    text, last = ANSWER, 0.0
    for before, after in changes:
        text = text.replace(before, after)
        row = scores(ANSWER, text)
        assert row["mean_drift"] >= last
        last = row["mean_drift"]


def test_an_unmatched_sentence_is_lost_or_added_mass() -> None:
    longer = ANSWER + " Zebras graze under acacias."
    assert drift(longer, ANSWER).lost_mass > 0
    assert drift(ANSWER, longer).added_mass > 0
    assert drift(ANSWER, ANSWER.replace("40", "90")).lost_mass == 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=80) | st.sampled_from(NASTY), st.text(max_size=80) | st.sampled_from(NASTY))
def test_drifts_of_any_texts_lie_between_0_and_1(clean: str, perturbed: str) -> None:
    assert all(0 <= value <= 1 for value in scores(clean, perturbed).values())
    assert set(scores(clean, clean).values()) == {0.0}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(ANSWER.split(". ")), max_size=6), st.lists(st.sampled_from(ANSWER.split(". ")), max_size=6)
)
def test_max_tail_and_mean_drift_are_ordered(clean: list[str], perturbed: list[str]) -> None:
    row = scores(". ".join(clean), ". ".join(perturbed))
    assert row["max_drift"] >= row["break_drift"] >= row["max_conflict"]
    assert 1 >= row["max_drift"] >= row["tail_drift"] - 1e-9
    assert row["tail_drift"] >= row["mean_drift"] - 1e-9
    assert row["hidden_drift"] == pytest.approx(max(0.0, row["max_drift"] - row["global_drift"]))


def test_clause_granularity_locates_the_changed_clause() -> None:
    before = "Anna cooks the soup for everyone, and Ben pays 1,000 euros."
    found = drift(before, before.replace("1,000", "2,000"), granularity="clause")
    assert found.worst.segment.text == "and Ben pays 1,000 euros."


@pytest.mark.parametrize(
    ("clean", "perturbed", "reasons"),
    [
        (
            "Lena lives in Rome. She has 3 cats. She likes tea.",
            "Lena lives in Oslo. She has 5 cats. She likes tea.",
            {"name Rome -> Oslo", "number 3 -> 5"},
        ),
        (
            "The office opens at 9:00. The library closes at 17:00.",
            "The office opens at 10:00. The library closes at 18:00.",
            {"time 9:00 -> 10:00", "time 17:00 -> 18:00"},
        ),
        (
            "Tom will not attend. The dinner costs 40 euros.",
            "Tom will attend. The dinner costs 45 euros.",
            {"negation lost", "number 40 euros -> 45 euros"},
        ),
    ],
)
def test_contradicting_segments_stay_aligned(clean: str, perturbed: str, reasons: set[str]) -> None:
    [found] = segment_drift([clean], [perturbed], encoding=encoding_of("lexical"))
    assert set(found.reasons) == reasons


def test_an_omitted_segment_is_lost_mass_and_an_addition_no_break() -> None:
    both, one = "Take two pills after dinner. Do not drink alcohol while you take them.", "Take two pills after dinner."
    lost, added = (segment_drift([a], [b], encoding=encoding_of("lexical"))[0] for a, b in ((both, one), (one, both)))
    assert lost.lost_mass > 0.3
    assert added.added_mass > 0.3
    assert lost.worst is not None
    assert added.worst is not None
    assert lost.worst.segment.text == added.worst.segment.text == both.partition(". ")[2]
    assert lost.worst.reason
    assert added.worst.reason
    assert lost.break_drift >= BREAK > added.break_drift


def test_bare_strings_are_refused() -> None:
    with pytest.raises(UserError, match="pass \\[clean\\] and \\[perturbed\\]"):
        segment_drift("one answer", "another")


def test_an_answer_that_is_not_a_string_is_refused() -> None:
    with pytest.raises(UserError, match="perturbed answer 1 must be a string, got None"):
        segment_drift(["a", "b"], ["a", None])  # type: ignore[list-item]


def test_a_misspelt_refusal_is_still_a_refusal() -> None:
    [found] = segment_drift(
        ["I cannot give advice on weapons."], ["I cannto give advice on wepaons."], encoding="lexical"
    )
    assert found.break_drift < BREAK


@pytest.mark.parametrize(
    ("clean", "perturbed", "breaks"),
    [
        ("I'm sorry, but I can't help with that.", "I cannot assist with this request.", False),
        ("I can't provide instructions for making weapons.", "I'm unable to assist with that. I'm sorry.", False),
        ("I'm sorry, I can't help with that. Call 911.", "I cannot assist with this. Call 112.", True),
        ("I'm sorry, I can't help with that.", "Take the key from the drawer.", True),
        ("I'm sorry, I can't help, but the key is red.", "I'm sorry, I can't help with that.", True),
        ("I cannot tell you that the code is 4512.", "I cannot tell you that the code is 9981.", True),
    ],
)
def test_refusals_say_the_same_however_they_are_worded(clean: str, perturbed: str, breaks: bool) -> None:
    assert (drift(clean, perturbed).break_drift >= BREAK) is breaks


def test_a_dropped_sentence_counts_by_its_own_words() -> None:
    kept = "The pump runs all night. The valve is checked by hand. The tank holds water for two days."
    dropped = "The pump runs all night. The tank holds water for two days."
    [found] = segment_drift([kept], [dropped], encoding="lexical")
    assert found.worst is not None
    assert found.worst.segment.text == "The valve is checked by hand."
    [finding] = [each for each in found.worst.findings if each.kind == "one-sided"]
    assert finding.strength == 1.0


def test_a_contradicted_sentence_is_compared_with_the_one_that_contradicts_it() -> None:
    clean = "The nurse was attacked by the patient. A guard stepped in. Both were examined."
    perturbed = "The patient was attacked by the nurse. A guard stepped in. Both were examined."
    [found] = segment_drift([clean], [perturbed], encoding="lexical")
    assert found.clean[0].partner is not None
    assert found.clean[0].partner.text == "The patient was attacked by the nurse."


@pytest.mark.parametrize(
    "perturbed", ["- Unplug\n- Wait\n- Clean", "1) Unplug\n2) Wait\n3) Clean", "• Unplug\n• Wait\n• Clean"]
)
def test_the_marks_of_list_items_are_not_drift(perturbed: str) -> None:
    assert drift("1. Unplug\n2. Wait\n3. Clean", perturbed).max_drift == 0.0


TABLE = "| city | country |\n|---|---|\n| Lyon | France |\n| Bari | Italy |"


def test_the_columns_of_a_table_may_change_places() -> None:
    other = "| country | city |\n|---|---|\n| France | Lyon |\n| Italy | Bari |"
    assert drift(TABLE, other).max_drift < 0.1


def test_cells_exchanged_between_rows_of_a_table_are_drift() -> None:
    found = drift(TABLE, "| city | country |\n|---|---|\n| Lyon | Italy |\n| Bari | France |")
    assert found.break_drift > BREAK
    assert found.worst is not None
    assert found.worst.reason.startswith("name")
