"""Paraphrases by a model, cached on disk, so that a run can be repeated without the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.harness.backends import Request
from holdfast.harness.backends.backend import Settings
from holdfast.harness.plan.side_model import load_side_model
from holdfast.harness.store.config import RunConfig, Scalar
from holdfast.harness.store.reply_cache import ReplyCache, key_of
from holdfast.perturbations import parse
from holdfast.tasks import Sample, Task, limited

PROMPT = (
    "Rewrite the following text in other words. Keep its meaning, every name and every number. "
    "Answer with the new wording only.\n\nText: {content}\nNew wording:"
)
"""The model's instructions, sent in its chat template if it has one."""

TEMPERATURE = 0.8
"""Sampling temperature for all paraphrases of a text but the first, which is greedy."""

CACHE = "results/paraphrases.jsonl"


@dataclass(frozen=True, slots=True)
class ParaphraseRequest:
    """A paraphrase to make: of this text, and its number among several of the same text."""

    content: str
    number: int


def add_paraphrases(tasks: Sequence[Task], config: RunConfig) -> list[Task]:
    """Return the tasks with paraphrases by the model of `--paraphraser` added to their samples.

    Without `--paraphraser`, or if no perturbation uses paraphrases, the tasks are returned unchanged. The model is
    loaded only if the cache lacks a paraphrase.

    Args:
        tasks: The tasks.
        config: Its `paraphraser` holds `backend` (default hf), `cache` (a file) and the backend's own arguments.

    Raises:
        UserError: If the backend can't be loaded, or the cache can't be read or written.
    """
    names = {part for spec in config.perturbations for part in parse(spec)[0].split("+")}
    if config.paraphraser is None or "paraphrase" not in names:
        return list(tasks)
    arguments = dict(config.paraphraser)
    path = Path(str(arguments.pop("cache", CACHE)))
    wanted = [
        ParaphraseRequest(sample.content, number)
        for task in tasks
        for sample in limited(task, config.limit)
        for number in range(config.variants_per_sample)
    ]
    cache = ReplyCache(path, "paraphrase")
    missing = {_key(arguments, each): each for each in wanted}
    missing = {key: each for key, each in missing.items() if key not in cache.known}
    if missing:
        for key, text in _ask(missing, arguments, config.device):
            cache.add(key, {"content": missing[key].content}, text)

    def with_paraphrases(sample: Sample) -> Sample:
        requests = [ParaphraseRequest(sample.content, n) for n in range(config.variants_per_sample)]
        made = [cache.known[_key(arguments, each)] for each in requests]
        paraphrases = dict.fromkeys([*sample.metadata.get("paraphrases", ()), *filter(None, made)])
        return replace(sample, metadata={**sample.metadata, "paraphrases": tuple(paraphrases)})

    return [
        replace(task, samples=tuple(with_paraphrases(sample) for sample in limited(task, config.limit)))
        for task in tasks
    ]


def _ask(
    missing: dict[str, ParaphraseRequest], arguments: dict[str, Scalar], device: str | None
) -> Iterator[tuple[str, str]]:
    engine, name = load_side_model(arguments, "--paraphraser", device)
    requests = [
        Request(key, name, PROMPT.format(content=each.content), _settings(each)) for key, each in missing.items()
    ]
    for batch in engine.generate(requests):
        for answer in batch:
            yield answer.key, _cleaned(answer.output, missing[answer.key].content)


def _settings(request: ParaphraseRequest) -> Settings:
    """Return settings with room for a longer text, which stop before a second answer."""
    stop = () if "\n" in request.content else ("\n",)
    temperature = TEMPERATURE if request.number else 0.0
    return Settings(16 + len(request.content), stop, temperature, seed=request.number)


def _cleaned(output: str, content: str) -> str:
    """Return the new wording without added quotation marks, or an empty string if it equals the text."""
    text = output.strip()
    if len(text) > 1 and text[0] in "\"'“‘" and text[-1] in "\"'”’" and content[:1] != text[0]:
        text = text[1:-1].strip()
    return "" if text == content else text


def _key(arguments: dict[str, Scalar], request: ParaphraseRequest) -> str:
    return key_of(sorted(arguments.items()), PROMPT, TEMPERATURE, request.content, request.number)
