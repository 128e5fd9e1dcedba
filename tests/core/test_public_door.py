"""`import holdfast`: its public names are lazy, typed and documented, and raise one kind of error."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import holdfast
from holdfast.harness.store.config import RunConfig
from holdfast.training.recipe import Recipe

FUNCTIONS = ("evaluate", "load_run", "leaderboard", "segment_drift", "perturb", "train", "correct", "inspect_adapter")
DECORATORS = ("perturbation", "sample_metric", "pair_metric", "task", "method")
HEAVY = ("torch", "numpy", "pandas", "pydantic", "transformers", "spacy", "catalogue")


def test_every_public_name_is_documented() -> None:
    for name in (*FUNCTIONS, *DECORATORS, "Sample", "Task", "UserError", "Results", "Drift", "Edits"):
        assert name in holdfast.__all__
        assert getattr(holdfast, name).__doc__
    assert set(holdfast.__all__) <= set(dir(holdfast))
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        _ = holdfast.evaluat


def test_importing_holdfast_imports_nothing_heavy() -> None:
    code = f"import sys, holdfast; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("name", [*FUNCTIONS, *DECORATORS])
def test_every_parameter_is_named_and_typed(name: str) -> None:
    for parameter in inspect.signature(getattr(holdfast, name)).parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        assert parameter.annotation is not parameter.empty


def test_evaluate_and_train_take_every_setting() -> None:
    assert set(inspect.signature(holdfast.evaluate).parameters) == {*RunConfig.model_fields, "config", "backend"}
    assert set(Recipe.model_fields) - {"schema_version"} <= set(inspect.signature(holdfast.train).parameters)


def test_a_run_can_be_opened_again(tmp_path: Path) -> None:
    made = holdfast.evaluate(
        adapters="base,pocket-steady",
        tasks="factual_qa",
        perturbations="typos",
        severity="light",
        limit=2,
        encoder="lexical",
        output_path=tmp_path / "run",
    )
    found = holdfast.load_run(tmp_path / "run")
    assert found.leaderboard.equals(made.leaderboard)
    assert found.breakdown.equals(made.breakdown)
    assert len(found.samples) == found.manifest.generations == 12
    assert {"adapter", "prompt", "output", "exact_match", "max_drift"} <= set(found.samples.columns)
    assert found.samples["max_drift"].isna().sum() == 4  # the clean answers
    assert "base 0." in repr(found) or "base 1." in repr(found)
    assert len(repr(found)) < 300
    assert "<table>" in found._repr_html_()
    board = holdfast.leaderboard(tmp_path / "run")
    assert list(board["adapter"]) == list(made.leaderboard["adapter"])
    assert not (tmp_path / "results").exists()


def test_edits_and_drifts_have_readable_reprs() -> None:
    edits = holdfast.perturb("Is <b>this</b> the 3rd train?", "typos@0.2", seed=0)
    assert repr(edits).startswith("Edits('Is <b>this</b> the 3rd train?' -> ")
    assert "&lt;b&gt;" in edits._repr_html_()
    assert "<ins" in edits._repr_html_()
    [drift] = holdfast.segment_drift(["Anna met <i>Ben</i>."], ["Anna met Carl."], encoding="lexical")
    assert repr(drift).startswith("Drift(max ")
    assert "&lt;i&gt;Ben" in drift._repr_html_()
    assert "Carl" in drift._repr_html_()


def test_perturb_equals_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    text = "What is the capital of France?"
    command = [sys.executable, "-m", "holdfast.harness.cli", "perturb", "--perturbations", "typos@0.2", "--seed", "3"]
    printed = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    assert holdfast.perturb(text, "typos@0.2", seed=3).text == printed


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: holdfast.perturb("a", "typo"), "did you mean 'typos'"),
        (lambda: holdfast.perturb(3, "typos"), "perturb takes a string, got int"),
        (lambda: holdfast.load_run("nowhere"), "is not a run"),
        (lambda: holdfast.leaderboard([]), "name at least one run"),
        (lambda: holdfast.evaluate(tasks="factual_q"), "did you mean 'factual_qa'"),
        (lambda: holdfast.evaluate(limit=0), "limit"),
        (lambda: holdfast.segment_drift(["a"], []), "got 1 clean and 0 perturbed answers"),
        (lambda: holdfast.segment_drift("a", "b"), "not a bare string"),
        (lambda: holdfast.segment_drift(["a"], [None]), "must be a string, got None"),
        (lambda: holdfast.segment_drift(["a"], ["b"], encoding="minlm"), "did you mean 'minilm'"),
        (lambda: holdfast.train("nothing.jsonl", "out"), "nothing.jsonl"),
        (lambda: holdfast.correct("pocket-steady", "s", "out", method="s2r2"), "not a correction but an objective"),
        (lambda: holdfast.inspect_adapter("./nowhere"), "not found"),
    ],
)
def test_a_mistake_raises_user_error(
    mistake: Callable[[], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(holdfast.UserError, match=message):
        mistake()
