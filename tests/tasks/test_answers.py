"""What numbers, truth values, templates and places in the choices become as references."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import UserError
from holdfast.tasks import Task, load_task


def load(folder: Path, line: str | dict[str, Any], mapped: str = "") -> Task:
    """Load one line of JSON, through a YAML task if `mapped` has some of its lines."""
    data, task = folder / "data.jsonl", folder / "task.yaml"
    data.write_text(line if isinstance(line, str) else json.dumps(line), "utf-8")
    task.write_text(f"task: t\ndataset_path: data.jsonl\ndoc_to_content: question\n{mapped}\n", "utf-8")
    return load_task(str(task if mapped else data))


@pytest.mark.parametrize(
    ("written", "references"),
    [
        ("7", ("7",)),
        ("7.0", ("7",)),
        ("-0.0", ("0",)),
        ("0.50", ("0.5",)),
        ("2500000.0", ("2500000",)),
        ("1e21", ("1" + 21 * "0",)),
        ("3e-07", ("0.0000003",)),
        ("12345678901234567890", ("12345678901234567890",)),
        ("false", ("false",)),
        ('[1.0, "1.0", true]', ("1", "1.0", "true")),
    ],
)
def test_numbers_become_text_as_people_write_them(tmp_path: Path, written: str, references: tuple[str, ...]) -> None:
    task = load(tmp_path, f'{{"id": 1, "content": "So?", "references": {written}}}')
    assert task.samples[0].references == references


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("NaN", "line 1: 'NAME' contains NaN; replace it with a string or a finite number"),
        ("[1, -Infinity]", "line 1: 'NAME' contains -Infinity"),
        ("1e400", "line 1: 'NAME' contains Infinity"),
        ("null", "line 1: 'NAME' must be a string or a list of strings, got null"),
        ('["a", null]', r"line 1: 'NAME' must be a string or a list of strings, got \[\"a\", null\]"),
    ],
)
def test_missing_values_are_refused(tmp_path: Path, written: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("NAME", "references")):
        load(tmp_path, f'{{"id": 1, "content": "So?", "references": {written}}}')
    for target, called in (("'{{ answer }}'", "doc_to_target"), ("answer", "answer")):
        with pytest.raises(UserError, match=message.replace("NAME", called)):
            load(tmp_path, f'{{"question": "So?", "answer": {written}}}', f"doc_to_target: {target}")


LINE = {
    "question": "Which city?",
    "answer": ["Bern", "the city of Bern"],
    "answers": {"text": ["Bern"], "start": [3]},
    "first": "Basel",
    "second": "Bern",
    "names": "Bern|Berne",
    "count": 3.0,
}


@pytest.mark.parametrize(
    ("template", "references"),
    [
        ("{{answer}}", ("Bern", "the city of Bern")),
        (" {{ answer }}", ("Bern", "the city of Bern")),
        ("{{answers.text}}", ("Bern",)),
        ("{{answers['text'][0]}}", ("Bern",)),
        ("{{[first, second]}}", ("Basel", "Bern")),
        ("['{{first}}', '{{second}}']", ("Basel", "Bern")),
        ("{{names.split('|')}}", ("Bern", "Berne")),
        ("{{answer | map('upper')}}", ("BERN", "THE CITY OF BERN")),
        ("{% set both = [second, first] %}{{ both }}", ("Bern", "Basel")),
        ("{{second}} ({{first}})", ("Bern (Basel)",)),
        ("{{count}}", ("3",)),
        ("{{count | int}}", ("3",)),
        ("[{{second}}", ("[Bern",)),
    ],
)
def test_a_template_may_yield_a_list(tmp_path: Path, template: str, references: tuple[str, ...]) -> None:
    task = load(tmp_path, LINE, f"doc_to_target: {json.dumps(template)}")
    assert task.samples[0].references == references


def test_a_list_may_be_the_target_itself(tmp_path: Path) -> None:
    assert load(tmp_path, LINE, "doc_to_target: [Bern, no]").samples[0].references == ("Bern", "no")


CHOICE = {
    "question": "How many?",
    "numbers": [1, 2, 3, 4],
    "texts": ["two", "four"],
    "place": 2,
    "text": "2",
    "both": [0, 3],
    "truth": True,
    "other": "four",
}


@pytest.mark.parametrize(
    ("choices", "target", "references"),
    [
        ("numbers", "place", ("3",)),  # a whole number is a place, as lm-eval counts
        ("numbers", "'{{place}}'", ("3",)),
        ("numbers", "'{{text}}'", ("3",)),  # so are the digits that a template writes
        ("numbers", "text", ("2",)),  # text in a field is a choice
        ("numbers", "both", ("1", "4")),
        ("numbers", "0", ("1",)),
        ("'{{numbers}}'", "'{{ numbers.index(2) }}'", ("2",)),
        ("texts", "'{{ texts.index(other) }}'", ("four",)),
        ("texts", "'{{other}}'", ("four",)),
        ("texts", "truth", ("four",)),
        ("'{{[texts[1], texts[0]]}}'", "truth", ("two",)),
        ("[no, yes]", "truth", ("yes",)),
        ("[false, true]", "truth", ("true",)),
        ("[true, false]", "truth", ("true",)),
        ('\'["odd", "even"]\'', "1", ("even",)),
        ("{a: no, b: yes}", "'{{ place - 1 }}'", ("yes",)),
    ],
)
def test_a_target_is_a_choice_or_its_place(
    tmp_path: Path, choices: str, target: str, references: tuple[str, ...]
) -> None:
    [sample] = load(tmp_path, CHOICE, f"doc_to_choice: {choices}\ndoc_to_target: {target}").samples
    assert sample.references == references
    assert set(references) <= set(sample.choices)


@pytest.mark.parametrize("place", [4, -1])
def test_a_place_beyond_the_choices_is_reported(tmp_path: Path, place: int) -> None:
    with pytest.raises(UserError, match=f"line 1: doc_to_target is {place}; expected an index from 0 to 3"):
        load(tmp_path, {**CHOICE, "place": place}, "doc_to_choice: numbers\ndoc_to_target: place")


@pytest.mark.parametrize(
    ("template", "message"),
    [("{{ nobody }}", "'nobody' is undefined"), ("{{ ''.__class__.__mro__ }}", "unsafe"), ("{{ first[ }}", "line 1")],
)
def test_a_failing_target_is_reported(tmp_path: Path, template: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(tmp_path, LINE, f"doc_to_target: {json.dumps(template)}")
