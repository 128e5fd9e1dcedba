"""Paraphrases by a model: generated once, cached, and added to the sample's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake, registered

Evaluate = Callable[..., Results]


def reworded(request: Request) -> str:
    content = request.prompt.partition("Text: ")[2].partition("\nNew wording:")[0]
    return f'"Put differently ({request.settings.temperature:g}): {content}" '


@pytest.fixture
def rephraser() -> Fake:
    return registered("rephraser", reworded)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    samples = (Sample("1", "Who wrote it?"), Sample("2", "Where is it?", metadata={"paraphrases": ("Its place?",)}))
    return {
        "tasks": [Task("two", samples, ("answer_rate",))],
        "perturbations": "paraphrase@heavy",
        "paraphraser": {"backend": "rephraser", "pretrained": "pocket-base", "cache": str(tmp_path / "cache.jsonl")},
        "adapters": "base",
    }


def prompts(results: Results) -> set[str]:
    lines = map(json.loads, (results.path / "samples.jsonl").read_text().splitlines())
    return {line["prompt"] for line in lines if line["perturbation"] == "paraphrase"}


def test_the_model_s_paraphrases_are_used(run: Evaluate, rephraser: Fake, settings: dict[str, Any]) -> None:
    found = prompts(run(Fake(), **settings, repeats=3))
    assert found
    assert all(prompt.startswith("Put differently") or prompt == "Its place?" for prompt in found)
    assert {request.settings.temperature for request in rephraser.asked} == {0.0, 0.8}


def test_a_run_is_repeated_without_the_model(
    run: Evaluate, rephraser: Fake, settings: dict[str, Any], tmp_path: Path
) -> None:
    first = prompts(run(Fake(), **settings))
    made = len(rephraser.engines)
    assert prompts(run(Fake(), **settings, output_path=tmp_path / "again")) == first
    assert len(rephraser.engines) == made == 1


def test_only_new_texts_are_paraphrased(
    run: Evaluate, rephraser: Fake, settings: dict[str, Any], tmp_path: Path
) -> None:
    run(Fake(), **settings)
    more = Task("more", (Sample("1", "Who wrote it?"), Sample("2", "When was that?")), ("answer_rate",))
    run(Fake(), **{**settings, "tasks": [more]}, output_path=tmp_path / "more")
    last = rephraser.engines[-1]
    assert ["When was that?" in request.prompt for batch in last.batches for request in batch] == [True]


def test_the_model_is_not_loaded_if_nothing_is_paraphrased(
    run: Evaluate, rephraser: Fake, settings: dict[str, Any]
) -> None:
    run(Fake(), **{**settings, "perturbations": "typos"})
    assert rephraser.engines == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backend": "refraser"}, "unknown backend 'refraser'; did you mean 'rephraser'"),
        ({"pretrained": "./no"}, "./no"),
    ],
)
def test_an_invalid_model_is_named(
    run: Evaluate, rephraser: Fake, settings: dict[str, Any], change: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(Fake(), **{**settings, "paraphraser": {**settings["paraphraser"], **change}})


def test_an_invalid_cache_file_is_named(
    run: Evaluate, rephraser: Fake, settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "cache.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(UserError, match="line 1: not a line of a paraphrase cache"):
        run(Fake(), **settings)
