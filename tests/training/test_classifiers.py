"""Training that classifies: labels instead of answers."""

import json
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer

from holdfast.errors import UserError
from tests.training.models import tiny
from tests.training.test_train import ROWS, saved, trained, written

FEW = {"lora": "r=2,alpha=4", "max_steps": 2}


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A tiny BERT with a head for two classes."""
    return saved("bert", tmp_path / "bert")


@pytest.fixture
def headless(bert: Path) -> Path:
    """The same, without the head."""
    model, _ = tiny("bert")
    model.resize_token_embeddings(len(AutoTokenizer.from_pretrained(bert)))
    model.bert.save_pretrained(bert)
    return bert


def labelled(path: Path, *labels: int) -> Path:
    return written(path, [{"text": row["prompt"], "label": n} for row, n in zip(ROWS, labels, strict=False)])


def test_a_classifier_trains_and_keeps_the_classes_of_its_head(bert: Path, tmp_path: Path) -> None:
    settings = {"model": str(bert), "noise": "flat_lora", "objective": "consistency", **FEW}
    assert trained(labelled(tmp_path / "both.jsonl", *[0, 1] * 6), tmp_path / "both", **settings)
    found = trained(labelled(tmp_path / "one.jsonl", *[0] * 12), tmp_path / "one", **settings)
    assert found["base_model.model.classifier.weight"].shape[0] == 2


def test_a_base_without_a_head_gets_one_for_the_labels_of_the_data(headless: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data.jsonl", *[2, 0, 1] * 4)
    found = trained(data, tmp_path / "out", model=str(headless), eval_data=str(data), **FEW)
    assert found["base_model.model.classifier.weight"].shape[0] == 3


def test_a_stray_label_makes_no_head_of_its_size(headless: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data.jsonl", 0, 1, 999999, 1)
    with pytest.raises(UserError, match="row 3 has the label 999999, but no row has the label 2: number the classes"):
        trained(data, tmp_path / "out", model=str(headless), **FEW)


def test_labels_that_the_head_does_not_have_are_named(bert: Path, tmp_path: Path) -> None:
    data, good = labelled(tmp_path / "data.jsonl", 0, 1, 2), labelled(tmp_path / "good.jsonl", 0, 1)
    message = r"data.jsonl: the model tells 2 classes apart, the data have labels up to 2 \(row 3\): .* from 0 to 1"
    with pytest.raises(UserError, match=message):
        trained(data, tmp_path / "out", model=str(bert), **FEW)
    with pytest.raises(UserError, match=message):
        trained(good, tmp_path / "out", model=str(bert), eval_data=str(data), **FEW)


def test_labels_are_not_evaluated_on_completions(bert: Path, tmp_path: Path) -> None:
    answers = written(tmp_path / "answers.jsonl", ROWS)
    with pytest.raises(UserError, match="the training is on labels, and not every row here has one"):
        trained(labelled(tmp_path / "data.jsonl", 0, 1), tmp_path / "out", model=str(bert), eval_data=str(answers))


@pytest.mark.parametrize("mode", ["generate", "teacher"])
def test_what_writes_nothing_has_no_segments_to_compare(bert: Path, tmp_path: Path, mode: str) -> None:
    data = labelled(tmp_path / "data.jsonl", 0, 1)
    asked = {"model": str(bert), "objective": "s2r2", "objective_args": f"mode={mode}"}
    with pytest.raises(UserError, match="a classifier writes nothing: use consistency or rdrop"):
        trained(data, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_a_t5_classifies_at_the_end_token_that_its_tokenizer_adds(tmp_path: Path) -> None:
    t5, data = saved("t5", tmp_path / "t5"), labelled(tmp_path / "data.jsonl", 0, 1, 0, 1)
    assert AutoConfig.from_pretrained(t5).is_encoder_decoder
    with pytest.raises(UserError, match=r"\(t5\) classifies at the end token .* row 1 has none: use a tokenizer"):
        trained(data, tmp_path / "out", model=str(t5), **FEW)
    _close_every_text(t5)
    assert trained(data, tmp_path / "out", model=str(t5), **FEW)


def _close_every_text(folder: Path) -> None:
    """Let the tokenizer in this folder end each text with its end token."""
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
