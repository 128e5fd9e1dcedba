"""An engine that answers by a function instead of a model, so that only the harness costs time and memory."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from holdfast.harness.backends import Generation, Request
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter

BATCH = 256
PLAN: dict[str, Any] = {
    "perturbations": "typos,word_deletion",
    "severity": "light",
    "repeats": 4,
    "encoder": "lexical",
    "min_meaning": 0,
}
"""The settings of `evaluate` that these benchmarks share: eight perturbed prompts for each sample."""


def answering(answer: Callable[[Request], str]) -> "Callable[[BackendOptions, Sequence[Adapter]], _Engine]":
    """Return what builds an engine that answers each request by this function: `evaluate(backend=answering(...))`."""
    return lambda options, adapters: _Engine(answer)


class _Engine:
    def __init__(self, answer: Callable[[Request], str]) -> None:
        self._answer = answer

    def probe(self, prompts: Sequence[str]) -> dict[str, Any]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {"backend": "simulated", "batch_size": BATCH}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[list[Generation]]:
        for start in range(0, len(requests), BATCH):
            yield [Generation(r.key, self._answer(r), 12, "stop") for r in requests[start : start + BATCH]]
