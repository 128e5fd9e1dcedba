"""What a pocket model really does on the embedded suites: greedy answers, scored by the harness's own metrics."""

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
def answers(model: Any, tokenizer: Any, prompts: Sequence[str], longest: int, batch: int = 32) -> list[str]:
    """Greedy answers to user turns, in the order of the prompts."""
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
    """Scores of every embedded suite; `noise` misspells that share of the letters of every content first."""
    report: dict[str, Scores] = {}
    for name in _METRICS:
        task = tasks.get(name)()
        rng = Random(f"pocket evaluation|{name}")
        contents = [mistype(sample.content, rng, noise) if noise else sample.content for sample in task.samples]
        prompts = [task.prompt.replace("{{ content }}", content) for content in contents]
        report[name] = score(task, answers(model, tokenizer, prompts, task.max_new_tokens))
    return report


def score(task: Task, outputs: Sequence[str]) -> Scores:
    """The mean of every metric of one suite, rounded; for `multilingual_qa` of each language as well."""
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
