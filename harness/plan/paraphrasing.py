"""Paraphrases by a model, cached on disk, so that a run can be repeated without the model."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import Request, backends
from holdfast.harness.backends.backend import BackendOptions, Settings
from holdfast.harness.store.config import RunConfig, Scalar
from holdfast.harness.store.records import json_line
from holdfast.perturbations import parse
from holdfast.reading import parse_json, read_bytes
from holdfast.tasks import Sample, Task
from holdfast.writing import named_errors, new_folder

PROMPT = (
    "Rewrite the following text in other words. Keep its meaning, every name and every number. "
    "Answer with the new wording only.\n\nText: {content}\nNew wording:"
)
"""The model's instructions, sent in its chat template if it has one."""

TEMPERATURE = 0.8
"""Sampling temperature for all paraphrases of a text but the first, which is greedy."""

CACHE = "results/paraphrases.jsonl"
_START = b'{"key": "'
"""How every line of the cache begins."""


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
    cache = Path(str(arguments.pop("cache", CACHE)))
    wanted = [
        ParaphraseRequest(sample.content, number)
        for task in tasks
        for sample in task.samples[: config.limit]
        for number in range(config.variants_per_sample)
    ]
    known = _read(cache)
    missing = {_key(arguments, each): each for each in wanted}
    missing = {key: each for key, each in missing.items() if key not in known}
    if missing:
        with new_folder(cache.parent, "cache"):
            for key, text in _ask(missing, arguments, config.device):
                with named_errors(cache), cache.open("a", encoding="utf-8") as file:
                    file.write(json_line({"key": key, "content": missing[key].content, "paraphrase": text}) + "\n")
                known[key] = text

    def with_paraphrases(sample: Sample) -> Sample:
        made = [known[_key(arguments, ParaphraseRequest(sample.content, n))] for n in range(config.variants_per_sample)]
        paraphrases = dict.fromkeys([*sample.metadata.get("paraphrases", ()), *filter(None, made)])
        return replace(sample, metadata={**sample.metadata, "paraphrases": tuple(paraphrases)})

    return [
        replace(task, samples=tuple(with_paraphrases(sample) for sample in task.samples[: config.limit]))
        for task in tasks
    ]


def _ask(
    missing: dict[str, ParaphraseRequest], arguments: dict[str, Scalar], device: str | None
) -> Iterator[tuple[str, str]]:
    entry = backends.get(str(arguments.get("backend", "hf")))
    own = {name: value for name, value in arguments.items() if name != "backend"}
    try:
        entry.check(own)
        base, _ = entry.find(own, [])
        engine = entry.build(BackendOptions(own, None, device), [base])
    except UserError as error:
        raise UserError(f"--paraphraser: {error}") from None
    requests = [
        Request(key, base.name, PROMPT.format(content=each.content), _settings(each)) for key, each in missing.items()
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


def _read(cache: Path) -> dict[str, str]:
    if not cache.exists():
        return {}
    content = read_bytes(cache, "paraphrase cache")
    whole = content.rfind(b"\n") + 1  # a kill leaves half a line behind it
    found: dict[str, str] = {}
    for number, text in enumerate(content[:whole].split(b"\n")[:-1], 1):
        line = parse_json(text, f"{cache}, line {number}")
        if not isinstance(line, dict) or not all(isinstance(line.get(name), str) for name in ("key", "paraphrase")):
            raise UserError(
                f"{cache}, line {number}: not a line of a paraphrase cache, which has key and paraphrase; use another "
                "file with cache=..."
            )
        found[line["key"]] = line["paraphrase"]
    torn = content[whole : whole + len(_START)]
    if torn != _START[: len(torn)]:
        raise UserError(f"{cache}: its last line is not one of a paraphrase cache; use another file with cache=...")
    if torn:
        with named_errors(cache):
            os.truncate(cache, whole)
    return found


def _key(arguments: dict[str, Scalar], request: ParaphraseRequest) -> str:
    fields = [sorted(arguments.items()), PROMPT, TEMPERATURE, request.content, request.number]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
