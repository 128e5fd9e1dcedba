"""Sequence classifiers and their adapters in the backend hf, against transformers and peft, one text at a time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

from holdfast import evaluate
from holdfast.errors import UserError
from holdfast.harness.backends import Request, Settings
from holdfast.tasks import Sample, Task
from tests.harness.checkpoints import connect
from tests.training.tiny_checkpoint import save_tiny_model

NAMES = ("negative", "neutral", "positive")
TEXTS = ("Profits rose.", "The company has moved to a new office in the north of the city.", "Losses.", "", "It is so.")


def name_classes(folder: Path, *names: str) -> Path:
    """Give a checkpoint these classes, and a fresh head of that size."""
    named = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    torch.manual_seed(5)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(names), ignore_mismatched_sizes=True, **named
    )
    model.save_pretrained(folder)
    return folder


@pytest.fixture(params=["bert", "llama"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = save_tiny_model(request.param, tmp_path / "base")
    if request.param == "llama":
        config = LlamaConfig.from_pretrained(folder, num_labels=3, pad_token_id=0)
        LlamaForSequenceClassification(config).save_pretrained(folder)
    return name_classes(folder, *NAMES)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return name_classes(save_tiny_model("bert", tmp_path / "bert"), *NAMES)


def save_adapter(
    base: Path, folder: Path, seed: int, classes: int = 3, task: Any = TaskType.SEQ_CLS, **lora: Any
) -> str:
    """Save an adapter with random weights and, if peft keeps one for the task, a random head."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=classes)
    wrapped = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear", task_type=task, **lora))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name or "modules_to_save" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    wrapped.save_pretrained(folder)
    return str(folder)


def headless(bert: Path) -> Path:
    """Take the head off a checkpoint."""
    model = AutoModelForSequenceClassification.from_pretrained(bert)
    model.bert.save_pretrained(bert)
    return bert


def probabilities(backend: Any, adapter: str, texts: Sequence[str] = TEXTS, pair: str = "") -> torch.Tensor:
    requests = [
        Request(str(i), adapter, text, Settings(), choices=NAMES, content=text, pair=pair)
        for i, text in enumerate(texts)
    ]
    found = {answer.key: answer for batch in backend.generate(requests) for answer in batch}
    rows = [found[str(i)] for i in range(len(texts))]
    assert [row.output for row in rows] == [NAMES[torch.tensor(row.likelihoods).argmax()] for row in rows]
    return torch.tensor([row.likelihoods for row in rows]).exp()


def alone(base: Path, adapter: str | None, texts: Sequence[str] = TEXTS, pair: str | None = None) -> torch.Tensor:
    """The probabilities by transformers and peft, one text at a time."""
    model = AutoModelForSequenceClassification.from_pretrained(base, dtype="float32", num_labels=3)
    model = PeftModel.from_pretrained(model, adapter) if adapter else model
    tokenizer, rows = AutoTokenizer.from_pretrained(base), []
    for text in texts:
        with torch.inference_mode():
            rows.append(model.eval()(**tokenizer(text, pair, return_tensors="pt")).logits[0].softmax(-1))
    return torch.stack(rows)


def test_base_and_adapters_classify_as_each_does_alone(base: Path, tmp_path: Path) -> None:
    first, second = (save_adapter(base, tmp_path / name, seed) for seed, name in enumerate(("first", "second")))
    backend = connect(base, ["base", first, second], size=3)
    texts = [text for text in TEXTS if text]  # an empty text has no tokens here
    for name, path in (("first", first), ("base", None), ("second", second), ("base", None)):
        torch.testing.assert_close(
            probabilities(backend, name, texts), alone(base, path, texts), atol=1e-5, rtol=1e-4, msg=name
        )
    assert all(backend.probe(texts).values())


def test_two_texts_are_read_as_a_pair(bert: Path) -> None:
    found = probabilities(connect(bert), "base", TEXTS[:3], pair="Shares fell.")
    torch.testing.assert_close(found, alone(bert, None, TEXTS[:3], "Shares fell."), atol=1e-5, rtol=1e-4)


def test_long_texts_are_cut_at_their_end_and_marked(bert: Path) -> None:
    backend, long = connect(bert, max_length=8), "one two three four five six seven eight nine ten eleven"
    request = Request("x", "base", long, Settings(), choices=NAMES, content=long)
    [[answer]] = backend.generate([request])
    assert answer.truncated
    ids = AutoTokenizer.from_pretrained(bert)(long)["input_ids"][:8]
    model = AutoModelForSequenceClassification.from_pretrained(bert).eval()
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    torch.testing.assert_close(torch.tensor(answer.likelihoods), expected, atol=1e-5, rtol=1e-4)


def test_a_base_without_a_head_is_never_scored(bert: Path, tmp_path: Path) -> None:
    adapter = save_adapter(bert, tmp_path / "own", 1)
    headless(bert)
    found = probabilities(connect(bert, [adapter], labels=":".join(NAMES)), "own")
    assert found.shape == (5, 3)
    with pytest.raises(UserError, match=r"the base has no trained classification head.*leave it \('base'\) out"):
        connect(bert, ["base", adapter])


def test_an_adapter_without_a_head_needs_a_base_with_one(bert: Path, tmp_path: Path) -> None:
    bare = save_adapter(bert, tmp_path / "bare", 1, task=None, exclude_modules=["classifier"])
    settings = json.loads((tmp_path / "bare/adapter_config.json").read_text())
    torch.testing.assert_close(probabilities(connect(bert, [bare]), "bare", TEXTS[:3]), alone(bert, bare, TEXTS[:3]))
    (tmp_path / "bare/adapter_config.json").write_text(json.dumps(settings | {"task_type": "SEQ_CLS"}))
    headless(bert)
    with pytest.raises(UserError, match="adapter 'bare' has no classification head, and neither has the base"):
        connect(bert, [bare])


def test_other_weights_that_would_be_random_are_refused(bert: Path, tmp_path: Path) -> None:
    adapter = save_adapter(bert, tmp_path / "own", 1)
    model = AutoModelForSequenceClassification.from_pretrained(bert)
    model.bert.pooler = None
    model.bert.save_pretrained(bert)
    with pytest.raises(UserError, match="no weights for bert.pooler.dense, which would be random, and adapter 'own'"):
        connect(bert, [adapter])


def test_heads_of_another_size_are_refused(bert: Path, tmp_path: Path) -> None:
    two = name_classes(save_tiny_model("bert", tmp_path / "two"), "no", "yes")
    adapter = save_adapter(two, tmp_path / "other", 1, classes=2)
    with pytest.raises(UserError, match="adapter 'other' has a head for 2 classes, but the base has 3"):
        connect(bert, [adapter])


def test_adapters_for_generation_are_refused(bert: Path, tmp_path: Path) -> None:
    adapter = save_adapter(bert, tmp_path / "talks", 1, task=None, exclude_modules=["classifier"])
    config = tmp_path / "talks/adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"task_type": "CAUSAL_LM"}))
    with pytest.raises(UserError, match="adapter 'talks' is for CAUSAL_LM, but this run's model is a sequence class"):
        connect(bert, [adapter])


@pytest.mark.parametrize(("labels", "message"), [("a:b", "has 2 names, but 'base' has 3"), ("a:a:b", "distinct names")])
def test_names_of_classes_must_fit(bert: Path, labels: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        connect(bert, labels=labels)


def test_names_in_another_order_than_the_files_are_told(bert: Path) -> None:
    with pytest.warns(UserWarning, match="classes of 'base' in another order than its files do .negative, neu"):
        renamed = connect(bert, labels=":".join(reversed(NAMES)))
    as_filed = probabilities(connect(bert, labels=":".join(NAMES)), "base")
    assert torch.allclose(probabilities(renamed, "base"), as_filed.flip(-1))


def test_an_encoder_is_not_asked_to_generate(bert: Path) -> None:
    with pytest.raises(UserError, match="is an encoder, which can't generate text"):
        connect(headless(bert))


def run(base: Path, tmp_path: Path, task: Task, **settings: Any) -> Any:
    chosen = {"adapters": "base", "perturbations": "typos@0.3", "encoder": "lexical", "output_path": tmp_path / "run"}
    model = {"pretrained": str(base), **settings.pop("model_args", {})}
    return evaluate(tasks=[task], model_args=model, **chosen | settings)


def task_of(*labels: str, **settings: Any) -> Task:
    samples = tuple(Sample(str(i), text, (labels[i % len(labels)],)) for i, text in enumerate(TEXTS) if text)
    return Task("moods", samples, **{"metrics": ("label_accuracy",), "prompt": "Mood? {{ content }}", **settings})


def test_a_run_reads_the_content_alone_and_answers_with_classes(bert: Path, tmp_path: Path) -> None:
    answers = run(bert, tmp_path, task_of("positive", "Negative")).samples
    clean = answers[answers["perturbation"] == "clean"].sort_values("sample")
    assert list(clean["prompt"]) == [text for text in TEXTS if text]
    expected = alone(bert, None, list(clean["prompt"]))
    assert list(clean["output"]) == [NAMES[i] for i in expected.argmax(-1)]
    right = ["positive" if int(sample) % 2 == 0 else "negative" for sample in clean["sample"]]
    assert list(clean["label_accuracy"]) == [float(a == b) for a, b in zip(clean["output"], right, strict=True)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mitigations": ["robust_prompt"]}, "a sequence classifier reads none"),
        ({"adapter_scales": [0.5]}, "the head of a classifier's adapter can't be scaled"),
        ({"model": "vllm", "backend": lambda *_: None}, "the backend 'vllm' can't run: use hf"),
    ],
)
def test_what_a_classifier_cannot_do_is_refused(bert: Path, tmp_path: Path, settings: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(bert, tmp_path, task_of(*NAMES), **settings)


def test_labels_that_are_no_classes_are_refused(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the reference 'joy' is not one of the classifier's classes \(negative, neut"):
        run(bert, tmp_path, task_of("joy", "negative"))
    renamed = {"model_args": {"labels": "joy:calm:anger"}}
    assert set(run(bert, tmp_path, task_of("joy", "anger"), **renamed).samples["output"]) <= {"joy", "calm", "anger"}


def test_labels_without_a_classifier_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="labels names the classes of a sequence classifier, which this model is not"):
        run(Path("pocket-base"), tmp_path, task_of("yes", "no"), model_args={"labels": "no:yes"})


def test_a_language_model_ranks_labels_by_likelihood(tmp_path: Path) -> None:
    task = task_of("positive", "negative", prompt="{{ content }}")
    answers = run(Path("pocket-base"), tmp_path, task, label_likelihood=True).samples
    assert set(answers["finish"]) == {"choice"}
    for row in answers.to_dict("records"):
        best = max(range(2), key=row["likelihoods"].__getitem__)
        assert row["output"] == ("positive", "negative")[best]


def test_ranking_labels_needs_a_task_with_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--label_likelihood: no task has labels"):
        run(Path("pocket-base"), tmp_path, task_of("a", metrics=("exact_match",)), label_likelihood=True)
