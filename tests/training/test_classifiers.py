"""Training classifiers, on labels instead of completions."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from holdfast import train
from holdfast.errors import UserError
from holdfast.training.training_card import read_card
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


def named(path: Path, *labels: object) -> Path:
    return write_rows(path, [{"text": row["prompt"], "label": n} for row, n in zip(ROWS, labels, strict=False)])


def test_named_classes_are_sorted_and_kept_with_the_adapter(headless: Path, tmp_path: Path) -> None:
    data = named(tmp_path / "data.jsonl", *["up", "down", "same"] * 4)
    found = train_and_load(data, tmp_path / "out", model=str(headless), eval_data=str(data), **FEW)
    assert found["base_model.model.classifier.weight"].shape[0] == 3
    card = read_card(tmp_path / "out")
    assert card is not None
    assert card.labels == ["down", "same", "up"]


def test_evaluation_gives_accuracy_and_f1(bert: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data.jsonl", *[0, 1] * 6)
    train_and_load(data, tmp_path / "out", model=str(bert), eval_data=str(data), **FEW)
    card = read_card(tmp_path / "out")
    assert card is not None
    model = PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(bert), tmp_path / "out").eval()
    tokenizer, rows = AutoTokenizer.from_pretrained(bert), [json.loads(line) for line in data.open()]
    with torch.inference_mode():
        predicted = [int(model(**tokenizer(row["text"], return_tensors="pt")).logits.argmax()) for row in rows]
    pairs = [(row["label"], guess) for row, guess in zip(rows, predicted, strict=True)]
    assert card.metrics["eval_accuracy"] == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    f1 = []
    for each in (0, 1):
        hits = pairs.count((each, each))
        f1.append(2 * hits / sum((a == each) + (b == each) for a, b in pairs))
    assert card.metrics["eval_macro_f1"] == pytest.approx(sum(f1) / 2)
    assert card.metrics["eval_weighted_f1"] == pytest.approx(sum(f1) / 2)  # both classes are right equally often


def test_a_full_model_knows_the_names_of_its_classes(headless: Path, tmp_path: Path) -> None:
    data = named(tmp_path / "data.jsonl", *["up", "down"] * 6)
    train(data, tmp_path / "out", model_args=str(headless), full=True, max_steps=1)
    assert AutoConfig.from_pretrained(tmp_path / "out").id2label == {0: "down", 1: "up"}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["up", 1, "down"], "row 2 has the label 1, but other rows have names"),
        (
            ["up", "down", "LABEL_0"],
            r"row 1 has the label 'up', which the model lacks: its classes are LABEL_0, LABEL_1",
        ),
    ],
)
def test_names_that_are_no_classes_are_refused(bert: Path, tmp_path: Path, labels: list[object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_and_load(named(tmp_path / "data.jsonl", *labels), tmp_path / "out", model=str(bert), **FEW)


def test_modules_that_the_base_lacks_are_saved_with_the_adapter(headless: Path, tmp_path: Path) -> None:
    model = AutoModel.from_pretrained(headless)
    model.pooler = None
    model.save_pretrained(headless)
    data = labelled(tmp_path / "data.jsonl", *[0, 1] * 6)
    found = train_and_load(data, tmp_path / "out", model=str(headless), **FEW)
    assert {"base_model.model.bert.pooler.dense.weight", "base_model.model.classifier.bias"} <= found.keys()


def test_two_texts_are_trained_as_a_pair(bert: Path, tmp_path: Path) -> None:
    one, two = ([{"text": "a b", "text_pair": pair, "label": i % 2} for i in range(4)] for pair in ("", "c d"))
    found = [
        train_and_load(write_rows(tmp_path / f"{i}.jsonl", rows), tmp_path / f"out{i}", model=str(bert), **FEW)
        for i, rows in enumerate((one, two))
    ]
    assert any(not torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_texts_with_labels_are_read_from_phrasebanks_layout(bert: Path, tmp_path: Path) -> None:
    data = tmp_path / "Sentences_AllAgree.txt"
    data.write_bytes("Profit rose to 5 mn €.@LABEL_1\nSales fell.@LABEL_0\n".encode("cp1252"))
    with pytest.warns(UserWarning, match="repaired the encoding of 1 of 2 lines"):
        assert train_and_load(data, tmp_path / "out", model=str(bert), **FEW)
