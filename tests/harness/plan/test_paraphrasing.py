"""Paraphrases from a model: asked once, kept by content, joined to the sample's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.backends import Request, backends
from holdfast.harness.backends.backend import BackendEntry
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

Run = Callable[..., Results]


def reworded(request: Request) -> str:
    content = request.prompt.partition("Text: ")[2].partition("\nNew wording:")[0]
    return f'"Put otherwise ({request.settings.temperature:g}): {content}" '


@pytest.fixture
def rephraser() -> Fake:
    fake = Fake(rule=reworded)
    backends.register("rephraser", BackendEntry("rephraser", fake, lambda arguments: None))
    return fake


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
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


def test_the_models_wordings_are_asked(run: Run, rephraser: Fake, asked: dict[str, Any]) -> None:
    found = prompts(run(Fake(), **asked, repeats=3))
    assert found
    assert all(prompt.startswith("Put otherwise") or prompt == "Its place?" for prompt in found)
    assert {request.settings.temperature for request in rephraser.asked} == {0.0, 0.8}


def test_a_run_is_repeated_without_the_model(run: Run, rephraser: Fake, asked: dict[str, Any], tmp_path: Path) -> None:
    first = prompts(run(Fake(), **asked))
    made = len(rephraser.engines)
    assert prompts(run(Fake(), **asked, output_path=tmp_path / "again")) == first
    assert len(rephraser.engines) == made == 1


def test_only_new_texts_are_asked(run: Run, rephraser: Fake, asked: dict[str, Any], tmp_path: Path) -> None:
    run(Fake(), **asked)
    more = Task("more", (Sample("1", "Who wrote it?"), Sample("2", "When was that?")), ("answer_rate",))
    run(Fake(), **{**asked, "tasks": [more]}, output_path=tmp_path / "more")
    last = rephraser.engines[-1]
    assert ["When was that?" in request.prompt for batch in last.batches for request in batch] == [True]


def test_the_model_is_left_alone_where_nothing_is_paraphrased(run: Run, rephraser: Fake, asked: dict[str, Any]) -> None:
    run(Fake(), **{**asked, "perturbations": "typos"})
    assert rephraser.engines == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backend": "refraser"}, "unknown backend 'refraser'; did you mean 'rephraser'"),
        ({"pretrained": "./no"}, "./no"),
    ],
)
def test_a_wrong_model_is_named(
    run: Run, rephraser: Fake, asked: dict[str, Any], change: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(Fake(), **{**asked, "paraphraser": {**asked["paraphraser"], **change}})


def test_a_file_that_is_no_cache_is_named(run: Run, rephraser: Fake, asked: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "cache.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(UserError, match="is no paraphrase cache: a line lacks 'key'"):
        run(Fake(), **asked)
