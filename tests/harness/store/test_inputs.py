"""What answers and scores depend on counts in a run: change it, and the run is not resumed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, UserError, evaluate
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import digest_of, find_checkpoint
from tests.harness.fakes import Fake, Killed
from tests.metrics.comparers.toy_nli import train_nli

Evaluate = Callable[..., Results]


def edit_json(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_changed_encoder_is_not_resumed_with(run: Evaluate, tmp_path: Path) -> None:
    encoder = shutil.copytree(find_checkpoint("pocket-base"), tmp_path / "encoder")
    with pytest.raises(Killed):
        run(Fake(dies_at=4), encoder=str(encoder))
    edit_json(encoder / "tokenizer_config.json", model_max_length=77)
    with pytest.raises(UserError, match=r"different encoder '.*' \(was .*, is now "):
        run(Fake(), encoder=str(encoder))


def test_a_changed_comparer_is_not_resumed_with(run: Evaluate, tmp_path: Path) -> None:
    model = train_nli(tmp_path / "nli", steps=0)
    with pytest.raises(Killed):
        run(Fake(dies_at=4), comparer=f"nli={model}")
    edit_json(model / "tokenizer_config.json", model_max_length=77)
    with pytest.raises(UserError, match=r"different comparer 'nli=.*' \(was .*, is now "):
        run(Fake(), comparer=f"nli={model}")


def test_explain_compares_as_the_run_did(run: Evaluate, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = run(Fake(), comparer=f"nli={train_nli(tmp_path / 'nli', steps=0)}")
    lines = map(json.loads, (results.path / "samples.jsonl").read_text().splitlines())
    worst = max((line for line in lines if "max_drift" in line["scores"]), key=lambda line: line["scores"]["max_drift"])
    assert main(["explain", str(results.path), worst["key"], "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)["scores"]
    assert explained == {name: worst["scores"][name] for name in explained}
    assert worst["scores"]["max_drift"] > 0


def test_a_changed_language_file_is_not_resumed_with(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages = tmp_path / "languages"
    languages.mkdir()
    (languages / "xx.txt").write_text("[words]\nnot: ni\n")
    monkeypatch.setenv("HOLDFAST_LANGUAGES", str(languages))
    with pytest.raises(Killed):
        run(Fake(dies_at=4))
    (languages / "xx.txt").write_text("[words]\nnot: na\n")
    with pytest.raises(UserError, match="different HOLDFAST_LANGUAGES files"):
        run(Fake())


def test_the_source_of_synonyms_is_recorded(run: Evaluate) -> None:
    assert run(Fake(), perturbations="synonyms").manifest.inputs["synonyms"] == "embedded"


@pytest.mark.parametrize("changed", ["tokenizer_config.json", "chat_template.jinja"])
def test_a_changed_tokenizer_folder_is_not_resumed_with(tmp_path: Path, changed: str) -> None:
    tokenizer = shutil.copytree(find_checkpoint("pocket-base"), tmp_path / "tokenizer")
    settings: dict[str, Any] = {
        "model_args": f"pretrained=pocket-base,tokenizer={tokenizer}",
        "adapters": "base",
        "tasks": "factual_qa",
        "limit": 2,
        "perturbations": "typos",
        "severity": "light",
        "encoder": "lexical",
        "output_path": tmp_path / "run",
    }
    evaluate(**settings)
    file = tokenizer / changed
    if file.suffix == ".json":
        edit_json(file, model_max_length=77)
    else:
        file.write_text(file.read_text() + "\n")
    with pytest.raises(UserError, match="different tokenizer or chat template"):
        evaluate(**settings)


@pytest.mark.parametrize(
    "name",
    [
        "sentencepiece.bpe.model",
        "source.spm",
        "qwen.tiktoken",
        "vocab.bpe",
        "modeling_own.py",
        "model.safetensors.index.json",
    ],
)
def test_every_file_that_decides_answers_counts(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(find_checkpoint("pocket-base"), tmp_path / "model")
    before = digest_of(folder)
    (folder / "notes.md").write_text("mine")
    assert digest_of(folder) == before
    (folder / name).write_text("one")
    first = digest_of(folder)
    (folder / name).write_text("other")
    assert len({before, first, digest_of(folder)}) == 3
