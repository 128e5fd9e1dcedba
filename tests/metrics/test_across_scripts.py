"""Answers in several languages: right in any script, and in the language of the question."""

import pytest

from holdfast.metrics import metrics

SCORES = {name: metrics.get(name).compute for name in ("cross_script_match", "language_consistency")}


@pytest.mark.parametrize(
    "output", ["25%", "25 %", "२५ प्रतिशत", "twenty-five percent", "25 per cent", "पच्चीस प्रतिशत", "It is 25 %.", "٢٥٪"]
)
@pytest.mark.parametrize("reference", ["25%", "२५ प्रतिशत", "twenty-five percent"])
def test_a_quantity_is_the_same_in_any_numerals(output: str, reference: str) -> None:
    assert SCORES["cross_script_match"]([output], [[reference]], [{}]) == [{"cross_script_match": 1.0}]


@pytest.mark.parametrize(("output", "right"), [("pachees pratishat", 1.0), ("chabbis pratishat", 0.0)])
def test_romanised_numbers_are_read_in_the_language_of_the_question(output: str, right: float) -> None:
    for language in ("hi-Latn", "en-hi"):
        about = {"language": language}
        assert SCORES["cross_script_match"]([output], [["25%"]], [about]) == [{"cross_script_match": right}]


@pytest.mark.parametrize("output", ["26%", "25 euros", "२६ प्रतिशत", "25% or 30%", "", "percent"])
def test_another_quantity_is_not_the_same(output: str) -> None:
    assert SCORES["cross_script_match"]([output], [["25%"]], [{}]) == [{"cross_script_match": 0.0}]


@pytest.mark.parametrize(
    ("output", "reference", "right"),
    [("5 °C", "-5 °C", 0), ("15", "1.5", 0), ("-5 °C", "−5 °C", 1), ("25", "25%", 1), ("1,000", "1000", 1)],
)
def test_signs_and_decimal_points_count(output: str, reference: str, right: int) -> None:
    assert SCORES["cross_script_match"]([output], [[reference]], [{}]) == [{"cross_script_match": right}]


def test_other_forms_count_where_the_task_gives_them() -> None:
    about = [{"forms": ["नई दिल्ली", "Nayi Dilli"]}, {}]
    found = SCORES["cross_script_match"](["nayi dilli."] * 2, [["New Delhi"]] * 2, about)
    assert [row["cross_script_match"] for row in found] == [1.0, 0.0]
    assert SCORES["cross_script_match"](["x"], [[]], [{}]) == [{}]


@pytest.mark.parametrize(
    ("language", "output", "consistent"),
    [
        ("hi", "नई दिल्ली", 1),
        ("hi", "New Delhi", 0),
        ("hi", "The capital of India is New Delhi.", 0),
        ("hi", "भारत की राजधानी New Delhi है।", 1),
        ("hi-Latn", "Nayi Dilli", 1),
        ("hi-Latn", "Bharat ki rajdhani Nayi Dilli hai", 1),
        ("hi-Latn", "The capital of the country is Delhi", 0),
        ("hi-Latn", "नई दिल्ली", 0),
        ("en", "New Delhi", 1),
        ("en", "नई दिल्ली", 0),
        ("en", "Bharat ki rajdhani Nayi Dilli hai", 0),
        ("en-hi", "नई दिल्ली", 1),
        ("en-hi", "The capital is New Delhi.", 1),
        ("en-hi", "Столица Индии", 0),
        ("fr", "La capitale est la ville de Paris, et elle est grande.", 1),
        ("fr", "The capital is the city of Paris, and it is large.", 0),
        ("de", "Berlin", 1),
        ("ru", "Москва", 1),
        ("ru", "Moscow", 0),
    ],
)
def test_an_answer_is_in_the_language_of_its_question(language: str, output: str, consistent: int) -> None:
    [row] = SCORES["language_consistency"]([output], [[]], [{"language": language}])
    assert row == {"language_consistency": float(consistent), "unsure": 0.0}


def test_what_shows_no_language_is_not_judged() -> None:
    rows = SCORES["language_consistency"](["UNSURE.", "1945", "", "x"], [[]] * 4, [{"language": "hi"}] * 3 + [{}])
    assert rows == [{"unsure": 1.0}, {"unsure": 0.0}, {"unsure": 0.0}, {}]
