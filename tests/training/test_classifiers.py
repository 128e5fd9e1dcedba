"""Training classifiers, on labels instead of completions."""

import json
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer

from holdfast.errors import UserError
from tests.training.models import tiny
from tests.training.test_train import ROWS, train_and_load, write_rows
from tests.training.tiny_checkpoint import save_tiny_model

FEW = {"lora": "r=2,alpha=4", "max_steps": 2}


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A tiny BERT with a head for two classes."""
    return save_tiny_model("bert", tmp_path / "bert")


@pytest.fixture
def headless(bert: Path) -> Path:
    """The same model without its classification head."""
    model, _ = tiny("bert")
    model.resize_token_embeddings(len(AutoTokenizer.from_pretrained(bert)))
    model.bert.save_pretrained(bert)
    return bert


def labelled(path: Path, *labels: int) -> Path:
    return write_rows(path, [{"text": row["prompt"], "label": n} for row, n in zip(ROWS, labels, strict=False)])


def test_a_classifier_keeps_the_classes_of_its_head(bert: Path, tmp_path: Path) -> None:
    settings = {"model": str(bert), "noise": "flat_lora", "objective": "consistency", **FEW}
    assert train_and_load(labelled(tmp_path / "both.jsonl", *[0, 1] * 6), tmp_path / "both", **settings)
    found = train_and_load(labelled(tmp_path / "one.jsonl", *[0] * 12), tmp_path / "one", **settings)
    assert found["base_model.model.classifier.weight"].shape[0] == 2


def test_a_base_without_a_head_gets_one_sized_by_the_labels(headless: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data.jsonl", *[2, 0, 1] * 4)
    found = train_and_load(data, tmp_path / "out", model=str(headless), eval_data=str(data), **FEW)
    assert found["base_model.model.classifier.weight"].shape[0] == 3


def test_a_gap_in_the_labels_is_refused(headless: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data.jsonl", 0, 1, 999999, 1)
    with pytest.raises(UserError, match="row 3 has label 999999, but no row has label 2: number the classes"):
        train_and_load(data, tmp_path / "out", model=str(headless), **FEW)


def test_labels_beyond_the_head_are_refused(bert: Path, tmp_path: Path) -> None:
    data, good = labelled(tmp_path / "data.jsonl", 0, 1, 2), labelled(tmp_path / "good.jsonl", 0, 1)
    message = r"data.jsonl: the model has 2 classes, but the data have labels up to 2 \(row 3\): .* from 0 to 1"
    with pytest.raises(UserError, match=message):
        train_and_load(data, tmp_path / "out", model=str(bert), **FEW)
    with pytest.raises(UserError, match=message):
        train_and_load(good, tmp_path / "out", model=str(bert), eval_data=str(data), **FEW)


def test_a_classifier_needs_labels_to_evaluate_on(bert: Path, tmp_path: Path) -> None:
    answers = write_rows(tmp_path / "answers.jsonl", ROWS)
    with pytest.raises(UserError, match="every row needs a label, as in --data"):
        train_and_load(
            labelled(tmp_path / "data.jsonl", 0, 1), tmp_path / "out", model=str(bert), eval_data=str(answers)
        )


@pytest.mark.parametrize("mode", ["generate", "teacher"])
def test_s2r2_refuses_a_classifier(bert: Path, tmp_path: Path, mode: str) -> None:
    data = labelled(tmp_path / "data.jsonl", 0, 1)
    options = {"model": str(bert), "objective": "s2r2", "objective_args": f"mode={mode}"}
    with pytest.raises(UserError, match="a classifier generates no text: use consistency or rdrop"):
        train_and_load(data, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_t5_classifier_needs_end_tokens(tmp_path: Path) -> None:
    t5, data = save_tiny_model("t5", tmp_path / "t5"), labelled(tmp_path / "data.jsonl", 0, 1, 0, 1)
    assert AutoConfig.from_pretrained(t5).is_encoder_decoder
    with pytest.raises(UserError, match=r"\(t5\) classifies at the end token .* row 1 has none: use a tokenizer"):
        train_and_load(data, tmp_path / "out", model=str(t5), **FEW)
    _add_end_tokens(t5)
    assert train_and_load(data, tmp_path / "out", model=str(t5), **FEW)


def _add_end_tokens(folder: Path) -> None:
    """Make the tokenizer in this folder append its end token to every text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    end = {"id": tokenizer.eos_token, "ids": [tokenizer.eos_token_id], "tokens": [tokenizer.eos_token]}
    text, closing = {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end["id"], "type_id": 0}}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [text, closing],
        "pair": [text, {"Sequence": {"id": "B", "type_id": 0}}, closing],
        "special_tokens": {end["id"]: end},
    }
    file.write_text(json.dumps(content), "utf-8")
