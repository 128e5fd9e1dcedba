"""Which segments contradict each other, and which only say it otherwise."""

import pytest

from holdfast.metrics.facts import conflict, facts_of


def reason(clean: str, perturbed: str, known: frozenset[str] = frozenset()) -> str:
    return conflict(facts_of(clean), facts_of(perturbed), known).reason


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("Meet at 5 pm.", "Meet at 5 am.", "number 5 pm -> 5 am"),
        ("Revenue was $4.5 million.", "Revenue was $5.4 million.", "number 4500000 dollars -> 5400000 dollars"),
        ("She bought two apples.", "She bought three apples.", "number 2 -> 3"),
        ("We saw Anna in Lyon.", "We saw Anna in Nice.", "name lyon -> nice"),
        ("Anna's car is red.", "Clara's car is red.", "name anna -> clara"),
        ("Anna and Ben cook.", "Clara and Ben cook.", "name anna -> clara"),
        ("He can't come.", "He can come.", "negation lost"),
        ("यह अच्छा नहीं है", "यह अच्छा है", "negation lost"),
    ],
)
def test_contradictions(clean: str, perturbed: str, why: str) -> None:
    assert reason(clean, perturbed) == why


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Revenue was $4.5 million.", "Revenue was 4,500,000 dollars."),
        ("It costs 20 euros.", "It costs 20."),
        ("Come at 10:30.", "Come at 10:30 am."),
        ("Turn the dial.", "Rotate the dial."),
        ("यह दिन अच्छा है", "यह रात अच्छी है"),
        ("मकान की कीमत १२ लाख", "मकान की कीमत 12 lakh"),
        ("The pipe is 5 m long.", "The pipe is 5 metres long."),
        ("a \U00010d40", "a"),
        ("We meet Anna and Ben.", "We meet Anna."),
    ],
)
def test_no_contradictions(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed) == ""


def test_a_first_word_is_a_name_where_the_answers_use_it_as_one() -> None:
    assert reason("Anna cooks.", "Clara cooks.", frozenset({"anna", "clara"})) == "name anna -> clara"
