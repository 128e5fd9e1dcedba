"""Where an answer is cut, and where it is not."""

import pytest

from holdfast.errors import UserError
from holdfast.metrics.segments import segment


def cut(text: str, granularity: str = "sentence") -> list[str]:
    return [part.text for part in segment([text], granularity)[0]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It costs $4.5 million. Mr. Bo paid.", ["It costs $4.5 million.", "Mr. Bo paid."]),
        ("राम घर गया। सीता आई।", ["राम घर गया।", "सीता आई।"]),
        ("First line\nsecond line", ["First line", "second line"]),
        ("1. Boil water.\n2. Add tea.", ["1. Boil water.", "2. Add tea."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("...", []),
        ("", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


def test_clauses_end_at_punctuation_and_conjunctions_but_not_inside_numbers_or_quotations() -> None:
    text = 'Anna said "soup, and bread" to us, but Ben paid 1,000 euros because he is kind.'
    assert cut(text, "clause") == [
        'Anna said "soup, and bread" to us,',
        "but Ben paid 1,000 euros",
        "because he is kind.",
    ]


def test_phrases_are_the_smallest_pieces() -> None:
    assert cut("Anna waits at the station with Ben.", "phrase") == ["Anna waits", "at the station", "with Ben."]


@pytest.mark.parametrize("granularity", ["sentence", "clause", "phrase"])
@pytest.mark.parametrize("text", ["  Hello there.  Bye, now!  ", "a\n\nb", "नमस्ते। दो, तीन", "x\ud800y. z"])
def test_a_segment_knows_where_it_stands(granularity: str, text: str) -> None:
    for part in segment([text], granularity)[0]:
        assert text[part.start : part.end].replace("\ud800", "\ufffd") == part.text
        assert part.mass >= 1


def test_an_unknown_granularity_or_pipeline_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="use one of sentence, clause, phrase"):
        segment(["a"], "word")
    with pytest.raises(UserError, match="'xx_missing' is not installed"):
        segment(["a"], "sentence", "xx_missing")
