"""Shapes of a prompt: formats of its template, and orders of its options."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.perturbations import parse
from holdfast.perturbations.shapes.option_order import STYLES, find_options, reordered
from holdfast.perturbations.shapes.orders import other_orders
from holdfast.perturbations.shapes.prompt_format import Format, formats, reformatted, shared_descriptors

FRAME = "Answer briefly.\n\nPassage: a river\nQuestion: _\nAnswer:"
NAMES = {"Passage", "Question", "Answer"}
PROMPT = "Which?\nA. Paris\nB. New York (US)\nC. Rome\nD. 4. Bern\nAnswer:"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Format("as it is", ": ", "\n"), FRAME),
        (Format("lower", ": ", "\n"), "Answer briefly.\n\npassage: a river\nquestion: _\nanswer:"),
        (Format("UPPER", " - ", " || "), "Answer briefly.\n\nPASSAGE - a river || QUESTION - _ || ANSWER -"),
        (Format("as it is", "\n\t", "; "), "Answer briefly.\n\nPassage\n\ta river; Question\n\t_; Answer"),
    ],
)
def test_a_format_sets_descriptors_separators_and_spaces(form: Format, expected: str) -> None:
    assert reformatted(FRAME, NAMES, form) == expected


def test_descriptors_are_whole_words_in_any_script() -> None:
    frame = "प्रश्न: _\nउत्तर:"
    assert shared_descriptors([frame]) == {"प्रश्न", "उत्तर"}
    assert reformatted(frame, {"प्रश्न", "उत्तर"}, Format("as it is", " - ", " || ")) == "प्रश्न - _ || उत्तर -"


@given(st.integers(0, 2**32), st.integers(0, 431))
def test_a_format_keeps_every_word_of_the_prompt(seed: int, number: int) -> None:
    made = reformatted(FRAME, NAMES, formats(Random(seed))[number])
    assert re.findall(r"\w+", made.lower()) == re.findall(r"\w+", FRAME.lower())


def test_formats_are_all_there_once_in_an_order_by_seed() -> None:
    first, again, other = formats(Random(1)), formats(Random(1)), formats(Random(2))
    assert first == again != other
    assert len(set(first)) == len(first) == len(other) == 4 * 12 * 9


def test_names_that_only_some_prompts_have_are_not_the_templates() -> None:
    frames = ["Question: _\nNote: yes\nAnswer:", "Question: _\nTo whom it may: x\nAnswer:"]
    assert shared_descriptors(frames) == {"Question", "Answer"}
    assert shared_descriptors(["Just _"]) == frozenset()


def test_options_are_found_line_by_line() -> None:
    [found] = find_options(PROMPT)
    assert found.letters == ("A", "B", "C", "D")
    assert [line["text"] for line in found.lines] == ["Paris", "New York (US)", "Rome", "4. Bern"]


@pytest.mark.parametrize(
    "prompt", ["A. one option", "A. one\n\nB. two", "B. two\nC. three", "A. x\nC. y", "Who is A or B?"]
)
def test_what_is_no_list_of_options_is_none(prompt: str) -> None:
    assert find_options(prompt) == []


@pytest.mark.parametrize("mark", ["({})", "{})", "[{}]", "{}:", "{}."])
@pytest.mark.parametrize("letters", ["abc", "123", "ABC"])
def test_options_are_found_however_they_are_lettered(mark: str, letters: str) -> None:
    lines = [f"{mark.format(letter)} text {letter}" for letter in letters]
    assert [found.letters for found in find_options("Q\n" + "\n".join(lines))] == [tuple(letters)]


@given(st.sampled_from([*other_orders(4, Random(0))]), st.integers(0, 2 * len(STYLES)), st.booleans())
def test_letters_lead_back_to_the_clean_ones(order: tuple[int, ...], style: int, reletter: bool) -> None:
    clean = {line["mark"]: line["text"] for line in find_options(PROMPT)[0].lines}
    made = reordered(PROMPT, find_options(PROMPT)[0], order, style, reletter=reletter)
    [found] = find_options(made.prompt)
    assert [line["text"] for line in found.lines] != list(clean.values())
    assert {line["mark"]: line["text"] for line in found.lines} == {
        new: clean[old] for new, old in made.letters.items()
    }
    assert made.prompt.startswith("Which?\n")
    assert made.prompt.endswith("\nAnswer:")


def test_a_shape_is_asked_for_by_number() -> None:
    assert parse("format@8") == ("format", "8")
    assert parse("options@#3") == ("options", "#3")
    with pytest.raises(
        UserError, match="unknown severity '0.5' for perturbation 'format'; .* a number of prompt shapes"
    ):
        parse("format@0.5")
    with pytest.raises(UserError, match="can't be part of 'format\\+typos': name it alone"):
        parse("format+typos")
