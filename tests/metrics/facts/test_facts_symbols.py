"""Letters, operators and formulas, which are no words."""

import pytest

from tests.metrics.facts.verdict import SERIOUS, conflict, reasons


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Option (a) is right.", "Option (b) is right."),
        ("See Appendix A.", "See Appendix B."),
        ("A. Mercury", "B. Mercury"),
        ("B. Okoro won the race.", "C. Okoro won the race."),
        ("The answer is 2x + 3.", "The answer is 2x - 3."),
        ("a + b = c", "a - b = c"),
        ("The result is x - y.", "The result is x + y."),
        ("sin(x) + cos(x)", "sin(x) - cos(x)"),
        ("It is (p+q)(p-q).", "It is (p+q)(p+q)."),
        ("A -> B", "B -> A"),
        ("Alpha -> Beta", "Beta -> Alpha"),
        ("Data flows A -> B.", "Data flows B -> A."),
        ("It needs x < y here.", "It needs y < x here."),
        ("It contains H2O2.", "It contains H2O."),
        ("Take vitamin C.", "Take vitamin D."),
        ("It takes n steps.", "It takes n-1 steps."),
        ("It runs in O(k).", "It runs in O(k^2)."),
        ("Use x[0] to get the first item.", "Use x[1] to get the first item."),
    ],
)
def test_other_symbols_conflict(clean: str, perturbed: str) -> None:
    assert conflict(clean, perturbed).cost >= SERIOUS
    assert conflict(perturbed, clean).cost == conflict(clean, perturbed).cost


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("It is 20km away.", "It is 20 km away."),
        ("The 1st one won.", "The first one won."),
        ("Plan B - the better one.", "Plan B: the better one."),
        ("Group A - a small one - won.", "Group A (a small one) won."),
        ("The keys are A-F.", "The keys are A to F."),
        ("The result is x − y.", "The result is x - y."),
        ("It takes 1e6 steps.", "It takes 1,000,000 steps."),
        ("Set x = 2 and y = 3.", "Set y = 3 and x = 2."),
        ("The sum is a + b.", "The sum is b + a."),
        ("John F. Kennedy spoke.", "John Kennedy spoke."),
        ("B. Okoro won the race.", "Ben Okoro won the race."),
        ("A. Mercury", "1. Mercury"),
        ("Vitamin B-12 helps.", "Vitamin B12 helps."),
        ("Let n be even.", "Let n be even, so n/2 is whole."),
    ],
)
def test_other_notations_agree(clean: str, perturbed: str) -> None:
    assert not any(why.startswith(("symbol", "number")) for why in reasons(clean, perturbed))


@pytest.mark.parametrize(
    "text", ["I do n't know the answer .", "I don 't know the answer .", "I don't know the answer."]
)
def test_a_contraction_in_tokenised_text_is_a_negation(text: str) -> None:
    assert "negation lost" in reasons(text, "I know the answer.")
