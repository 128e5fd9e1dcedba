"""Protected spans: what they are, and that finding them stays linear."""

import time

import pytest

from holdfast.perturbations.protected import protected_spans


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("plain words, it's all free", []),
        ("it cost $4.50, up +3.2% or 5 %", ["$4.50", "+3.2%", "5 %"]),
        ("₹1,00,000 at 10:30 am on 3rd of १२", ["₹1,00,000", "10:30 am", "3rd", "१२"]),
        ("COVID-19 in B12, -5 degrees", ["COVID-19", "B12", "-5"]),
        ("run `ls -l` or ```\nx = y\n``` now", ["`ls -l`", "```\nx = y\n```"]),
        ("an open ``` fence runs on", ["``` fence runs on"]),
        ("see https://a.org/x?y=z. or me@b.org, www.c.de!", ["https://a.org/x?y=z", "me@b.org", "www.c.de"]),
        ("\"straight\" “curly” «oui» „ja“ 'one' ‘two’", ['"straight"', "“curly”", "«oui»", "„ja“", "'one'", "‘two’"]),
        ("don't say 'it isn't so' to the dogs' owner", ["'it isn't so'"]),
        ("Dear {name}, {{greeting}}", ["{name}", "{{greeting}}"]),
    ],
)
def test_protected_spans(text: str, spans: list[str]) -> None:
    assert [text[start:end] for start, end in protected_spans(text)] == spans


def test_named_strings_are_protected_wherever_they_stand_even_overlapping() -> None:
    assert protected_spans("abababa x 5 x", ["aba", "x 5"]) == [(0, 7), (8, 11)]


@pytest.mark.parametrize(
    "piece", ['"', "'a ", "“", "`", "``` ", "{", "a", "a.", "a@", "1,", "www.", "http://.", "+.-", "a-"]
)
def test_a_megabyte_of_nonsense_takes_no_more_than_seconds(piece: str) -> None:
    start = time.process_time()
    protected_spans(piece * (1_000_000 // len(piece)))
    assert time.process_time() - start < 5
