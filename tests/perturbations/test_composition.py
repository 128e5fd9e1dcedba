"""Compositions of several perturbations."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.perturbations import Edit, Edits, make_variant, parse, perturbations
from holdfast.perturbations.composition import compose

TEXT = "What is the capital of the small country between the two rivers?"


def variant(perturbation: str, text: str = TEXT) -> Edits:
    made = make_variant(text, task="t", sample_id="1", perturbation=perturbation, severity="heavy", repeat=0, seed=0)
    edits = Edits(text, made.edits)
    assert edits.text == made.text
    return edits


def test_each_part_makes_the_same_edits_as_alone() -> None:
    typed = variant("typos").text
    assert variant("typos+emoji").text == _emoji_on(typed)
    assert variant("emoji+typos").text != variant("typos+emoji").text


def _emoji_on(text: str) -> str:
    return variant("emoji", text).text


@given(st.text(max_size=40), st.randoms(use_true_random=False))
def test_composed_edits_turn_the_original_into_the_final_text(text: str, rng: Random) -> None:
    first = _random_edits(text, rng)
    second = _random_edits(first.text, rng)
    both = compose(first, second)
    assert both.original == text
    assert both.text == second.text
    ends = [(e.position, e.position + len(e.removed)) for e in both.edits]
    assert all(end < start for (_, end), (start, _) in pairwise(ends))
    assert all(text[e.position : e.position + len(e.removed)] == e.removed for e in both.edits)


def _random_edits(text: str, rng: Random) -> Edits:
    edits, at = [], 0
    while at <= len(text):
        if rng.random() < 0.3:
            end = min(len(text), at + rng.randrange(3))
            edits.append(Edit(at, text[at:end], "xyz"[: rng.randrange(4)]))
            at = end
        at += 1
    return Edits(text, tuple(e for e in edits if e.removed != e.inserted))


def test_a_composition_may_have_a_severity() -> None:
    assert parse("typos+emoji@0.1") == ("typos+emoji", "0.1")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("typos+typos", "'typos' appears twice"),
        ("typos+", r"missing perturbation next to '\+'"),
        ("typos+emoij", "unknown perturbation 'emoij'; did you mean 'emoji'"),
        ("typos+emoji@big", "unknown severity 'big'"),
    ],
)
def test_an_invalid_composition_is_reported(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(spec)


def test_no_registered_name_contains_a_plus() -> None:
    assert not any("+" in name for name in perturbations.names())
