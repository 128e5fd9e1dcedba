"""Protected spans are found, in linear time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.perturbations.protected import _pattern, protected_spans

_PIECES = [
    "a",
    "Rs",
    "Rs.",
    "$",
    " ",
    "\u00a0",
    "\n",
    "5",
    "1.5",
    "kg",
    "/",
    "h",
    "'",
    '"',
    "`",
    "```",
    "{",
    "}",
    ".",
    "@",
]
_PIECES += ["www.", "http://", "com", "-", "+", "p.m.", "“", "”", "«", "»", "é", "²", "५", "million", "ab", "\0"]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("plain words, it's all free", []),
        ("it cost $4.50, up +3.2% or 5 %", ["$4.50", "+3.2%", "5 %"]),
        ("₹1,00,000 at 10:30 am on 3rd of १२", ["₹1,00,000", "10:30 am", "3rd", "१२"]),
        ("COVID-19 in B12, -5 degrees", ["COVID-19", "B12", "-5 degrees"]),
        ("run `ls -l` or ```\nx = y\n``` now", ["`ls -l`", "```\nx = y\n```"]),
        ("an open ``` fence runs on", ["``` fence runs on"]),
        ("see https://a.org/x?y=z. or me@b.org, www.c.de!", ["https://a.org/x?y=z", "me@b.org", "www.c.de"]),
        ("\"straight\" “curly” «oui» „ja“ 'one' ‘two’", ['"straight"', "“curly”", "«oui»", "„ja“", "'one'", "‘two’"]),
        ("don't say 'it isn't so' to the dogs' owner", ["'it isn't so'"]),
        ("Dear {name}, {{greeting}}", ["{name}", "{{greeting}}"]),
        ("5 kg at 12 km/h, 3 p.m., a 3-inch pipe", ["5 kg", "12 km/h", "3 p.m.", "3-inch"]),
        (
            "7 yrs, 5 milligrams, 10 Megabytes, 3 millions, 40 Stunden",
            ["7 yrs", "5 milligrams", "10 Megabytes", "3 millions", "40 Stunden"],
        ),
        ("in 1990 an earthquake, 6 m³", ["1990", "6 m³"]),
        (
            "4.5 million dollars, Rs. 500, $ 5 or US$ 2 billion",
            ["4.5 million dollars", "Rs. 500", "$ 5", "US$ 2 billion"],
        ),
        ("5 in the morning, 2 a day, 3 long kilometres, 6 gs", ["5", "2", "3", "6"]),
        ("५ किलो आटा 10 मिनट में, 5 लाख रुपये", ["५ किलो", "10 मिनट", "5 लाख रुपये"]),
    ],
)
def test_protected_spans_are_found(text: str, spans: list[str]) -> None:
    assert [text[start:end] for start, end in protected_spans(text)] == spans


def test_given_strings_are_protected_even_if_they_overlap() -> None:
    assert protected_spans("abababa x 5 x", ["aba", "x 5"]) == [(0, 7), (8, 11)]


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_hints_find_the_same_spans_as_a_full_search(text: str) -> None:
    assert protected_spans(text) == [match.span() for match in _pattern().finditer(text)]


@pytest.mark.parametrize(
    "piece", ['"', "'a ", "“", "`", "``` ", "{", "a", "a.", "a@", "1,", "www.", "http://.", "+.-", "a-"]
)
def test_searching_a_megabyte_takes_linear_time(piece: str) -> None:
    """A quadratic algorithm would take hours here."""
    text = piece * (1_000_000 // len(piece))
    assert all(0 <= start < end <= len(text) for start, end in protected_spans(text))
