"""--faithfulness: an NLI model says which sentences of answers follow from the clean content."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.metrics.comparers.nli import load_nli
from holdfast.metrics.scores.faithfulness import support
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake
from tests.metrics.comparers.toy_nli import train_nli

SOURCE = "The road is closed. The door is open today."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(train_nli(tmp_path_factory.mktemp("nli"), steps=0))


def task(*metrics: str) -> Task:
    return Task("summaries", (Sample("1", SOURCE),), metrics)


@pytest.mark.parametrize("metrics", [("source_facts",), ("faithfulness",)])
def test_answers_are_compared_with_the_clean_source(
    run: Callable[..., Results], model: str, metrics: tuple[str, ...]
) -> None:
    short, long = "The door is open.", "The door is open. The shop is closed."
    told = run(
        Fake(rule=lambda request: short if request.adapter == "base" else long),
        tasks=task(*metrics),
        perturbations="word_deletion@0.5",
        faithfulness=model,
    )
    assert told.samples["edit_rate"].max() > 0.2
    for sign, answer in (("==", short), ("!=", long)):
        [expected] = support([answer], [SOURCE], load_nli(model))
        answers = told.samples.query(f"adapter {sign} 'base'")
        assert answers["faithfulness"].to_list() == pytest.approx([np.mean(expected)] * len(answers), abs=1e-4)
        assert answers["faithfulness_min"].to_list() == pytest.approx([min(expected)] * len(answers), abs=1e-4)
    assert "faithfulness" in told.breakdown
    assert f"faithfulness '{model}'" in json.loads((told.path / "run.json").read_text())["inputs"]


@pytest.mark.parametrize(
    ("metrics", "flag", "message"),
    [
        (("faithfulness",), None, "needs an NLI model: --faithfulness NAME_OR_PATH"),
        (("source_facts",), "", "--faithfulness needs a model: NAME_OR_PATH"),
        (("source_facts",), "./nowhere", "--faithfulness: there is no directory './nowhere'"),
    ],
)
def test_what_no_model_can_score_is_refused(
    run: Callable[..., Results], metrics: tuple[str, ...], flag: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(Fake(), tasks=task(*metrics), faithfulness=flag)


def test_a_model_that_nothing_asks_is_refused(run: Callable[..., Results], model: str) -> None:
    with pytest.raises(UserError, match="--faithfulness: no task has the metric source_facts or faithfulness"):
        run(Fake(), tasks=task("answer_rate"), faithfulness=model)


def test_an_unfit_model_is_named_with_its_flag(run: Callable[..., Results], model: str, tmp_path: Path) -> None:
    config = Path(model, "config.json").read_text().replace("entailment", "yes")
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"^--faithfulness: .* has the labels yes, neutral, contradiction"):
        run(Fake(), tasks=task("source_facts"), faithfulness=str(tmp_path))
