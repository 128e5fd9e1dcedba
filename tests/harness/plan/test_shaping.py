"""Runs over formats, orders of options and orders of examples: what is asked, scored and counted."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast import Results, UserError
from holdfast.harness.backends import Request
from holdfast.perturbations import Edits
from holdfast.tasks import Sample, Task, load_task
from tests.harness.fakes import Fake

Evaluate = Callable[..., Results]
CITIES = (("Rome", "Lyon", "Oslo"), ("Bern", "Cork", "Nice"), ("Bath", "Kiel", "Riga"), ("Bonn", "Pisa", "Graz"))
TEMPLATE = "Question: {{ content }}\nA. {{ options[0] }}\nB. {{ options[1] }}\nC. {{ options[2] }}\nAnswer:"


def quiz(*, ranked: bool) -> Task:
    samples = tuple(
        Sample(f"q{i}", f"Which city is number {i}?", ("ABC"[i % 3],), {"options": list(each)}, tuple("ABC" if ranked else ""))
        for i, each in enumerate(CITIES)
    )  # fmt: skip
    return Task("quiz", samples, ("exact_match",), TEMPLATE)


def knows(request: Request) -> str:
    """The letter in the prompt that the right city has."""
    number = int(re.search(r"number (\d)", request.prompt)[1])  # type: ignore[index]
    city = CITIES[number][number % 3]
    return re.search(rf"(\w)[\])>.:]+ {city}\b", request.prompt)[1]  # type: ignore[index]


def prefers_the_first(request: Request) -> str:
    return re.search(r"(?m)^\W?(\w)[\])>.:]+ ", request.prompt)[1]  # type: ignore[index]


def lines(results: Results) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (results.path / "samples.jsonl").open()]


@pytest.mark.parametrize("ranked", [True, False])
def test_whoever_knows_the_answer_is_right_in_every_order(run: Evaluate, ranked: bool) -> None:
    fake = Fake(rule=knows)
    results = run(fake, tasks=quiz(ranked=ranked), adapters="base", perturbations="options@5")
    answers = lines(results)
    assert all(line["scores"]["exact_match"] == 1 for line in answers)
    assert all(line["output"] == "ABC"[int(line["sample"][1]) % 3] for line in answers)  # as lettered when clean
    asked = {request.prompt: request.choices for request in fake.asked}
    assert len({re.search(r"(?m)^\W?\w[\])>.:]+ ", prompt)[0] for prompt in asked}) > 2  # type: ignore[index]
    if ranked:
        assert set(asked.values()) > {("A", "B", "C")}
    row = pd.read_csv(results.path / "shapes.csv").iloc[0]
    assert (row["shapes"], row["n"], row["spread"], row["consistency"]) == (5, 4, 0, 1)


def test_a_preference_for_a_place_is_no_consistency(run: Evaluate) -> None:
    results = run(Fake(rule=prefers_the_first), tasks=quiz(ranked=True), adapters="base", perturbations="options@8")
    row = pd.read_csv(results.path / "shapes.csv").iloc[0]
    assert row["consistency"] == 0
    means = {}
    for line in lines(results):
        if line["perturbation"] in ("clean", "options"):
            means.setdefault(line["severity"], []).append(line["scores"]["exact_match"])
    scores = [sum(each) / len(each) for each in means.values()]
    assert row["spread"] == pytest.approx(max(scores) - min(scores))
    assert row["lowest"] == pytest.approx(min(scores))


def test_orders_of_options_do_not_repeat(run: Evaluate, tmp_path: Path) -> None:
    def prompts(task: Task, asked: str) -> list[str]:
        results = run(Fake(), tasks=task, adapters="base", perturbations=asked, output_path=str(tmp_path / asked))
        return [
            line["prompt"] for line in lines(results) if line["perturbation"] == "options" and line["sample"] == "q0"
        ]

    assert len(set(prompts(quiz(ranked=True), "options@10"))) == 10
    example = "Question: Where?\nA. Rome\nB. Oslo\nAnswer: A\n\n"  # so that options keep their letters
    shown = replace(quiz(ranked=True), prompt=example + TEMPLATE)
    assert len(set(prompts(shown, "options@5"))) == 5
    with pytest.raises(UserError, match="sample 'q0', allows only 5 other orders: ask for options@5"):
        prompts(shown, "options@6")


def test_likelihoods_are_in_the_order_of_the_clean_options(run: Evaluate) -> None:
    from holdfast.harness.plan.shaping import Shape

    shape = Shape("prompt", ("2", "1"), {"1": "B", "2": "A"})
    assert shape.clean_likelihoods([-1.0, -2.0], ("A", "B")) == (-1.0, -2.0)
    assert shape.clean_answer("2") == "A"
    assert shape.clean_answer("I say (1).") == "I say (B)."


def test_formats_are_the_same_for_all_samples_and_are_recorded(run: Evaluate) -> None:
    results = run(Fake(rule=knows), tasks=quiz(ranked=False), adapters="base", perturbations="format@6", repeats=3)
    answers = lines(results)
    clean = {line["sample"]: line["prompt"] for line in answers if line["perturbation"] == "clean"}
    shaped = [line for line in answers if line["perturbation"] == "format"]
    assert sorted(line["severity"] for line in shaped) == sorted([f"#{i}" for i in range(1, 7)] * 4)
    frames = set()
    for line in shaped:
        assert Edits(clean[line["sample"]], [tuple(edit) for edit in line["edits"]]).text == line["prompt"]
        content = f"Which city is number {line['sample'][1]}?"
        assert content in line["prompt"]
        frames.add((line["severity"], line["prompt"].partition(content)[0]))
    assert len(frames) == 6  # one beginning for each format
    assert len({line["prompt"] for line in shaped}) == 24


def test_formats_do_not_depend_on_the_samples_asked(run: Evaluate, tmp_path: Path) -> None:
    def prompts(**settings: Any) -> set[str]:
        results = run(Fake(rule=knows), tasks=quiz(ranked=False), adapters="base", perturbations="format@3", **settings)
        return {line["prompt"] for line in lines(results) if line["sample"] == "q0"}

    whole = prompts(output_path=str(tmp_path / "a"))
    assert whole == prompts(output_path=str(tmp_path / "b"), limit=1)
    assert whole != prompts(output_path=str(tmp_path / "c"), seed=7)


def test_examples_change_their_order_alone(run: Evaluate, tmp_path: Path) -> None:
    rows = [{"id": i, "question": f"What is {i}?", "answer": f"It is {i}."} for i in range(8)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "task.yaml").write_text(
        "task: shots\ndataset_path: data.jsonl\ndoc_to_content: question\ndoc_to_target: answer\nnum_fewshot: 3\n"
        'doc_to_text: "Q: {{ question }}\\nA:"\n'
    )
    task = load_task(str(tmp_path / "task.yaml"))
    answers = lines(run(Fake(), tasks=task, adapters="base", perturbations="example_order@4", limit=3))
    clean = {line["sample"]: line["prompt"] for line in answers if line["perturbation"] == "clean"}
    for line in answers:
        blocks, before = line["prompt"].split("\n\n"), clean[line["sample"]].split("\n\n")
        assert sorted(blocks) == sorted(before)
        assert blocks[-1] == before[-1]
    shaped = {(line["sample"], line["prompt"]) for line in answers if line["perturbation"] == "example_order"}
    assert len(shaped) == 12  # three samples in four different orders
    assert all(prompt != clean[sample] for sample, prompt in shaped)
    with pytest.raises(UserError, match="allows only 5 other orders: ask for example_order@5"):
        run(Fake(), tasks=task, adapters="base", perturbations="example_order@6", limit=3)


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [
        ("format", "format: the prompt of task 'plain' has no fields with names"),
        ("options", "options: the prompt of task 'plain', sample '1', lists no options on lines of their own"),
        ("example_order", "example_order: the prompt of task 'plain' has no examples to reorder"),
    ],
)
def test_a_task_without_such_parts_is_named(run: Evaluate, perturbation: str, message: str) -> None:
    task = Task("plain", (Sample("1", "Who: are you?", ("me",)),), ("exact_match",))
    with pytest.raises(UserError, match=message):
        run(Fake(), tasks=task, adapters="base", perturbations=perturbation)


def test_too_many_formats_are_refused(run: Evaluate) -> None:
    with pytest.raises(UserError, match=r"format: there are only \d+ formats of task 'quiz': ask for fewer"):
        run(Fake(rule=knows), tasks=quiz(ranked=False), adapters="base", perturbations="format@9999")


def test_a_run_is_resumed_with_its_answers_as_they_were(run: Evaluate) -> None:
    from tests.harness.fakes import Killed

    settings = {"tasks": quiz(ranked=True), "adapters": "base", "perturbations": "options@4,format@2"}
    with pytest.raises(Killed):
        run(Fake(rule=knows, dies_at=4), **settings)
    resumed = run(Fake(rule=knows), **settings)
    assert all(line["scores"]["exact_match"] == 1 for line in lines(resumed))
