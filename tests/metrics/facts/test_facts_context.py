"""Facts that are lost, added or merely moved within the whole answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.metrics.facts import comparer, facts_of
from holdfast.metrics.testing import NASTY
from tests.metrics.facts.verdict import conflict, reasons, verdict


def test_a_missing_clause_is_an_omission() -> None:
    clean = "The flat has two rooms because the owner removed a wall last winter."
    [why] = reasons(clean, "The flat has two rooms.")
    assert why.startswith("omission of")
    assert "owner removed wall" in why


def test_an_extra_phrase_is_an_addition() -> None:
    clean, perturbed = "The flat has two rooms.", "The flat has two rooms and a leaking roof."
    assert reasons(clean, perturbed) == ["addition of leaking roof"]


def test_omitting_more_never_costs_less() -> None:
    clean = "The flat has two rooms, a big kitchen, a bath, a cellar and a garden."
    shorter = [clean[: clean.index(end)] + "." for end in (" and a garden", ", a cellar", ", a bath", ", a big")]
    costs = [conflict(facts_of(clean), facts_of(text)).whole for text in shorter]
    assert costs == sorted(costs)


def test_a_fact_moved_to_another_segment_is_no_conflict() -> None:
    compare = comparer(
        ["Anna paid 20 euros on Monday, and Ben left early."], ["Anna paid 20 euros on Monday.", "Ben left early."]
    )
    assert verdict(compare((0,), (0,))).cost == 0
    assert verdict(compare((0,), (0, 1))).cost == 0


def test_facts_swapped_between_segments_conflict() -> None:
    compare = comparer(["Anna lives in Lyon.", "Ben lives in Nice."], ["Anna lives in Nice.", "Ben lives in Lyon."])
    assert verdict(compare((0,), (0,))).reason == "name Lyon -> Nice"


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("The doctor purchased a big car.", "The physician bought a large automobile."),
        ("They announced it.", "They made an announcement about it."),
        ("However, the shop is very small.", "The shop is small, though."),
    ],
)
def test_synonyms_and_fillers_are_not_omissions(clean: str, perturbed: str) -> None:
    assert conflict(facts_of(clean), facts_of(perturbed)).cost == 0


texts = st.text(max_size=60) | st.sampled_from(NASTY)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(texts, texts)
def test_the_cost_of_any_texts_is_bounded_and_symmetric(one: str, other: str) -> None:
    found, back = conflict(facts_of(one), facts_of(other)), conflict(facts_of(other), facts_of(one))
    assert 0 <= found.cost <= 1
    assert found.cost == back.cost
    assert conflict(facts_of(one), facts_of(one)).cost == 0
