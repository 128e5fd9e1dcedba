"""The kinds of wrong answers, each by its rule."""

import pytest

from holdfast.metrics.failure_kinds import DRIFT, EMOJI, ENCODING, ENTITY, FAILURES, PARSE, failure_kind, is_wrong

CLEAN = "Which city is the capital of France?"
TYPOS = [(6, "city", "ctiy"), (28, "France", "Frnace")]
SMILE = [(5, "", " 🎈")]


@pytest.mark.parametrize(
    ("output", "edits", "clean", "kind"),
    [
        ("Рaris", TYPOS, "Paris", ENCODING),  # with a Cyrillic letter
        ("P\ufffdris", TYPOS, "Paris", ENCODING),
        ("Par\u200bma", TYPOS, "Paris", ENCODING),
        ("आगरा", TYPOS, "Paris", ENCODING),
        ("Lyon", SMILE, "Paris", EMOJI),  # nothing else was changed
        ("A balloon 🎈!", SMILE, "Rome", EMOJI),
        ("Lyon", SMILE, "Rome", ENTITY),  # wrong before, too, and no sign of the emoji
        ("", TYPOS, "Paris", PARSE),
        ("?!", TYPOS, "Paris", PARSE),
        ("I'm sorry, but I can't help with that.", TYPOS, "Paris", PARSE),
        ("I'm glad to help. Whatever you need.", TYPOS, "Paris", PARSE),
        ("the city the city the city the city", TYPOS, "Paris", PARSE),
        ("Which ctiy is the capital of Frnace?", TYPOS, "Paris", PARSE),
        ("Xqzvurq", TYPOS, "Paris", PARSE),
        ("Lyon", TYPOS, "Paris", ENTITY),
        ("The capital is the beautiful Lyon.", TYPOS, "Paris", ENTITY),
        ("Nobody seems to know of Frnace these days.", TYPOS, "Paris", ENTITY),
        ("a wide river with many boats", TYPOS, "Paris", DRIFT),
    ],
)
def test_the_first_rule_that_holds_decides(
    output: str, edits: list[tuple[int, str, str]], clean: str, kind: str
) -> None:
    text = "Which ctiy is the capital of Frnace?" if edits is TYPOS else "Which 🎈 city is the capital of France?"
    assert failure_kind(output, ["Paris"], content=CLEAN, clean=clean, edits=edits, text=text) == kind


@pytest.mark.parametrize(
    ("output", "kind"), [("1917", ENTITY), ("It was in 1917.", ENTITY), ("191", PARSE), ("the sea", DRIFT)]
)
def test_a_number_is_expected_where_the_reference_has_one(output: str, kind: str) -> None:
    asked = {"content": "When did the ship sink?", "text": "Wehn did the ship sink?", "edits": [(0, "When", "Wehn")]}
    assert failure_kind(output, ["1912"], clean="1912", **asked) == kind  # type: ignore[arg-type]


def test_an_answer_is_right_if_it_says_a_reference() -> None:
    assert not is_wrong("It was built in 1912, in Belfast.", ["Southampton", "1912"])
    assert is_wrong("1912a", ["1912"])
    assert len(FAILURES) == 5
