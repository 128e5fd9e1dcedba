"""Fluency by a judge model: its rubric is asked once per text, its grades are read or counted as missing."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Results, UserError
from holdfast.harness.plan.fluency import FluencyJudge
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake, registered

Evaluate = Callable[..., Results]


@pytest.fixture
def model() -> Fake:
    return registered("grader", lambda request: " 4" if "Who" in request.prompt.partition("Text: ")[2] else "2.\n")


@pytest.fixture
def spec(tmp_path: Path, model: Fake) -> str:
    return f"judge,backend=grader,pretrained=pocket-base,cache={tmp_path / 'grades.jsonl'}"


def test_each_text_is_graded_once(spec: str, model: Fake) -> None:
    assert FluencyJudge(spec).grade(["Who?", "", "What?", "Who?"]) == [4.0, None, 2.0, 4.0]
    assert len(model.asked) == 2
    assert all(request.prompt.endswith("Fluency:") for request in model.asked)
    assert FluencyJudge(spec).grade(["Who?"]) == [4.0]  # from the file
    assert len(model.asked) == 2


@pytest.mark.parametrize("reply", ["It is fluent.", "6", "4.5", "10", ""])
def test_a_reply_that_is_no_grade_is_counted(spec: str, model: Fake, reply: str) -> None:
    model.rule = lambda request: reply
    with pytest.warns(UserWarning, match="--fluency: 1 of 1 replies are not a grade from 1 to 5"):
        assert FluencyJudge(spec).grade(["Who?"]) == [None]


def test_each_group_has_its_fluency_with_an_interval(run: Evaluate, spec: str) -> None:
    starts = {"en": "Who", "hi": "Kaun"}
    samples = [
        Sample(f"{name}{i}", f"{start} {i}?", ("x",), {"group": name})
        for name, start in starts.items()
        for i in range(6)
    ]
    rule = lambda request: request.prompt.split()[0]  # noqa: E731
    results = run(
        Fake(rule=rule),
        tasks=Task("t", tuple(samples), ("exact_match",)),
        adapters="base",
        perturbations="case@0.1",
        fluency=spec,
    )
    groups = results.groups.set_index("group")
    lines = pd.DataFrame(
        [{**line, **line["scores"]} for line in map(json.loads, (results.path / "samples.jsonl").open())]
    )
    lines = lines[lines["perturbation"] != "identity"]
    lines["group"] = [groups[0] for groups in lines["groups"]]
    expected = lines.groupby(["group", "sample"])["fluency"].mean().groupby("group").mean()
    for name in starts:
        assert groups.loc[name, "fluency"] == pytest.approx(expected[name], abs=1e-6)
    assert {"fluency_low", "fluency_high"} <= set(groups)
    assert "fluency" not in run(Fake(), output_path=results.path.parent / "without").breakdown


@pytest.mark.parametrize(
    ("fluency", "message"),
    [
        ("perplexity,pretrained=pocket-base", "--fluency: 'perplexity' is not supported: use judge"),
        ("judge", "--fluency needs a model"),
        ("judge,pretrained=./nowhere", "nowhere"),
    ],
)
def test_a_judge_that_is_not_there_is_named_first(run: Evaluate, fluency: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(Fake(), fluency=fluency)
