"""The comparer `nli`: a small model trained here, against what transformers computes without Holdfast."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
)

from holdfast.errors import UserError
from holdfast.metrics.comparers.segment_comparer import check_comparer, comparer_of
from holdfast.metrics.drift import BREAK, Drift, segment_drift
from tests.metrics.comparers.toy_nli import LABELS, SENTENCES, toy_tokenizer, train_nli

CLOSED, OPEN, TODAY = "The door is closed.", "The door is open.", "The door is open today."


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_nli(tmp_path_factory.mktemp("nli"))


def drift(folder: Path, clean: str, perturbed: str) -> Drift:
    [found] = segment_drift([clean], [perturbed], encoding="lexical", comparer=f"nli={folder}")
    return found


def probabilities(folder: Path, premise: str, hypothesis: str) -> dict[str, float]:
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        shares = model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits.softmax(-1)[0].tolist()
    return {label.lower(): share for label, share in zip(model.config.id2label.values(), shares, strict=True)}


def saved(folder: Path, labels: tuple[str, ...], rows: list[int], trained: Path) -> Path:
    """Save the trained model with its classifier's rows in another order or number, under other labels."""
    model = BertForSequenceClassification.from_pretrained(trained)
    weight, bias = model.classifier.weight.data[rows], model.classifier.bias.data[rows]
    model.classifier = torch.nn.Linear(weight.shape[1], len(rows))
    model.classifier.weight.data, model.classifier.bias.data = weight, bias
    model.config.num_labels = len(rows)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: i for i, label in enumerate(labels)}
    model.save_pretrained(folder)
    toy_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("clean", "perturbed"), [(OPEN, CLOSED), (TODAY, OPEN), (OPEN, TODAY), (OPEN, SENTENCES[-1])])
def test_costs_are_the_model_s_probabilities(trained: Path, clean: str, perturbed: str) -> None:
    forward, backward = probabilities(trained, clean, perturbed), probabilities(trained, perturbed, clean)
    conflict = max(forward["contradiction"], backward["contradiction"])
    lost, added = 1 - backward["entailment"], 1 - forward["entailment"]
    found = drift(trained, clean, perturbed)
    assert found.max_drift == pytest.approx(max(conflict, lost, added), abs=1e-4)
    assert found.max_conflict == pytest.approx(conflict, abs=1e-4)
    assert found.break_drift == pytest.approx(max(conflict, lost), abs=1e-4)
    strengths = {each.kind: each.strength for each in found.clean[0].findings}
    assert strengths == pytest.approx({"contradiction": conflict, "omission": lost, "addition": added}, abs=1e-4)


def test_contradiction_omission_and_addition_are_told_apart(trained: Path) -> None:
    denied, left_out, added = drift(trained, OPEN, CLOSED), drift(trained, TODAY, OPEN), drift(trained, OPEN, TODAY)
    assert denied.max_conflict > BREAK
    assert left_out.max_conflict < BREAK < left_out.break_drift
    assert added.break_drift < BREAK < added.max_drift
    assert [each.clean[0].reason for each in (denied, left_out, added)] == ["contradiction", "omission", "addition"]
    assert (left_out.lost_mass, left_out.added_mass, added.lost_mass, added.added_mass) == (1, 0, 0, 1)


def test_labels_are_read_in_any_case_and_order(trained: Path, tmp_path: Path) -> None:
    labels = ("CONTRADICTION", "Entailment", "NEUTRAL")
    other = saved(tmp_path, labels, [LABELS.index(label.lower()) for label in labels], trained)
    assert drift(other, OPEN, CLOSED).scores() == pytest.approx(drift(trained, OPEN, CLOSED).scores(), abs=1e-4)


def test_two_labels_have_no_conflict_of_their_own(trained: Path, tmp_path: Path) -> None:
    folder = saved(tmp_path, ("unsupported", "supported"), [2, 0], trained)
    found = drift(folder, OPEN, CLOSED)
    assert found.max_conflict == 0
    supported = min(probabilities(folder, OPEN, CLOSED)["supported"], probabilities(folder, CLOSED, OPEN)["supported"])
    assert found.max_drift == pytest.approx(1 - supported, abs=1e-4)


def test_answers_are_the_same_in_any_batch(trained: Path) -> None:
    clean = [" ".join(SENTENCES[i : i + 3]) for i in range(10)]
    perturbed = [*SENTENCES[:5], *(" ".join(SENTENCES[i : i + 2]) for i in range(5))]
    comparer = comparer_of(f"nli={trained}")
    together = segment_drift(clean, perturbed, encoding="lexical", comparer=comparer)
    alone = [drift(trained, *pair) for pair in zip(clean, perturbed, strict=True)]
    for one, other in zip(together, alone, strict=True):
        assert one.scores() == pytest.approx(other.scores(), abs=1e-4)


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), [0, 1, 2]),
        (("positive", "negative"), [0, 1]),
        (("entailment", "neutral", "other"), [0, 1, 2]),
    ],
)
def test_other_labels_are_refused_by_name(
    trained: Path, tmp_path: Path, labels: tuple[str, ...], rows: list[int]
) -> None:
    folder = saved(tmp_path, labels, rows, trained)
    with pytest.raises(UserError, match=f"has the labels {', '.join(labels)};"):
        check_comparer(f"nli={folder}")


def test_a_base_model_without_a_classifier_is_refused(tmp_path: Path) -> None:
    tokenizer = toy_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    BertModel(config).save_pretrained(tmp_path)
    stored = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**stored, "id2label": dict(enumerate(LABELS))}))
    with pytest.raises(UserError, match="no weights for classifier"):
        comparer_of(f"nli={tmp_path}")


def test_a_model_that_cannot_be_loaded_is_named_in_one_line(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no directory './nowhere'"):
        check_comparer("nli=./nowhere")
    with pytest.raises(UserError, match="'nobody/nothing' can't be loaded: ") as caught:
        comparer_of("nli=nobody/nothing")
    assert "\n" not in str(caught.value)
    broken = shutil.copytree(trained, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="can't be loaded: "):
        comparer_of(f"nli={broken}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nli", "needs a model: nli=NAME_OR_PATH"),
        ("nlli=x", "unknown comparer 'nlli'; did you mean 'nli'"),
        ("facts=x", "does not exist"),
        ("", "names no comparer"),
    ],
)
def test_a_wrong_specification_is_explained(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_comparer(spec)
