"""`exact_match` normalises as SQuAD v1.1 does, compared with an independent implementation of the published rule."""

import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from holdfast.metrics.scores.text_scores import exact_match, normalise

PIECES = ["a", "an", "the", "The", "A", "U.S.", "co-op", "1,000", "$5", "don't", "theory", "_", "+", " ", "\t", "x"]


def squad(text: str) -> str:
    """The rule of SQuAD's paper and script, written letter by letter: lower case, no punctuation, no articles."""
    lower = "".join(letter.lower() for letter in text if letter not in string.punctuation)
    inside = [letter.isalnum() for letter in lower]
    out, word = [], ""
    for letter, is_inside in [*zip(lower, inside, strict=True), ("", False)]:
        if is_inside:
            word += letter
            continue
        out.append(" " if word in {"a", "an", "the"} else word)
        out.append(letter)
        word = ""
    return " ".join("".join(out).split())


@settings(max_examples=400, deadline=None, derandomize=True)
@example("The U.S. a-n the, an")
@given(
    st.text(alphabet=st.characters(max_codepoint=126), max_size=30)
    | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
)
def test_ascii_text_is_normalised_as_squad_does(text: str) -> None:
    assume(squad(text))
    assert normalise(text) == squad(text)


@pytest.mark.parametrize(
    ("output", "reference"),
    [
        ("2,500", "2500"),
        ("U.K.", "UK"),
        ("7 a.m.", "7 am"),
        ("The re-entry.", "reentry"),
        ("O'Neil’s boat", "ONeils boat"),
        ("«Нил»", "нил"),
        ("An $8 ticket", "8 ticket"),
    ],
)
def test_punctuation_is_removed_not_replaced(output: str, reference: str) -> None:
    assert exact_match([output], [[reference]], [{}])[0]["exact_match"] == 1.0


@pytest.mark.parametrize(
    ("output", "reference", "score"),
    [("A.", "a", 1.0), ("the", "A", 0.0), ("", "A", 0.0), ("+", "-", 0.0), ("", "+", 0.0), ("+", "+", 1.0)],
)
def test_an_answer_of_articles_or_signs_is_not_empty(output: str, reference: str, score: float) -> None:
    assert exact_match([output], [[reference]], [{}])[0]["exact_match"] == score
