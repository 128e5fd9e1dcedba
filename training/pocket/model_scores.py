"""Scores of a pocket model on the embedded suites: greedy answers, scored by the library's metrics."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from holdfast.metrics.scores.key_facts import key_fact_recall
from holdfast.metrics.scores.labels import label_accuracy
from holdfast.metrics.scores.safety import policy
from holdfast.metrics.scores.text_scores import exact_match, rouge
from holdfast.tasks.task import Task, tasks
from holdfast.training.pocket.pretraining import one_core
from holdfast.training.pocket.tokenizer import END, chat
from holdfast.training.pocket.vocabulary import mistype

Scores = dict[str, float]

_METRICS = {
    "factual_qa": (exact_match,),
    "dialogue_summary": (rouge, key_fact_recall),
    "financial_sentiment": (label_accuracy,),
    "multilingual_qa": (exact_match,),
    "attack_success": (policy,),
}


@one_core()
def generate_answers(model: Any, tokenizer: Any, prompts: Sequence[str], longest: int, batch: int = 32) -> list[str]:
    """Generate greedy answers to user turns.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        prompts: The user turns, without the chat template.
        longest: The maximum length of an answer in tokens.
        batch: The number of prompts per batch.

    Returns:
        The answers, in the order of the prompts.
    """
    import torch

    order = sorted(range(len(prompts)), key=lambda at: len(prompts[at]))
    found: dict[int, str] = {}
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        inputs = tokenizer([chat(prompts[at]) for at in some], return_tensors="pt", padding=True)
        inputs = {key: inputs[key].to(model.device) for key in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=longest, do_sample=False)
        texts = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=False)
        found |= {at: text.split(END)[0] for at, text in zip(some, texts, strict=True)}
    return [found[at] for at in range(len(prompts))]


def evaluate(model: Any, tokenizer: Any, noise: float = 0.0) -> dict[str, Scores]:
    """Score a model on every embedded suite.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        noise: The share of letters to mistype in every sample, in [0, 1].

    Returns:
        The scores by suite and metric (see `score`).
    """
    report: dict[str, Scores] = {}
    for name in _METRICS:
        task = tasks.get(name)()
        rng = Random(f"pocket evaluation|{name}")
        contents = [mistype(sample.content, rng, noise) if noise else sample.content for sample in task.samples]
        prompts = [task.render(sample, content) for sample, content in zip(task.samples, contents, strict=True)]
        report[name] = score(task, generate_answers(model, tokenizer, prompts, task.max_new_tokens))
    return report


def score(task: Task, outputs: Sequence[str]) -> Scores:
    """Return the mean of every metric over one suite, to four digits; for `multilingual_qa` also by language."""
    references = [sample.references for sample in task.samples]
    metadata = [sample.metadata for sample in task.samples]
    values: defaultdict[str, list[float]] = defaultdict(list)
    for metric in _METRICS[task.name]:
        for row, about in zip(metric(outputs, references, metadata), metadata, strict=True):
            for key, value in row.items():
                values[key].append(value)
                if task.name == "multilingual_qa":
                    values[f"{key} {about['language']}"].append(value)
    return {key: round(_mean(some), 4) for key, some in values.items()}


def _mean(values: Iterable[float]) -> float:
    some = list(values)
    return sum(some) / len(some)
