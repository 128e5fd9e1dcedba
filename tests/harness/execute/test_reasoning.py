"""What a model thinks aloud is stored beside its answer, and scored only on request."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import pytest

from holdfast import Results
from holdfast.harness.backends import Backend, Generation, Request
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.lines import read_lines
from holdfast.harness.store.records import SAMPLES
from holdfast.tasks import Sample, Task
from tests.harness.fakes import FakeEngine

TASK = Task("capital", (Sample("1", "Which city is the capital of France?", ("Paris",)),), ("exact_match",))


class Thinking(FakeEngine):
    """Thinks before it answers."""

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        for batch in super().generate(requests, done):
            yield [replace(answer, output="Paris", reasoning="It is in Europe.") for answer in batch]


def build(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    return Thinking(adapters, 4, None, None)


@pytest.mark.parametrize(
    ("keep", "output", "reasoning", "score"),
    [(False, "Paris", "It is in Europe.", 1.0), (True, "It is in Europe.\n\nParis", None, 0.0)],
)
def test_reasoning_is_scored_only_on_request(
    run: Callable[..., Results], keep: bool, output: str, reasoning: str | None, score: float
) -> None:
    results = run(build, tasks=[TASK], perturbations="typos@0.2", keep_reasoning=keep)
    for _, line in read_lines(results.path / SAMPLES):
        assert line["output"] == output
        assert line.get("reasoning") == reasoning
        assert line["scores"]["exact_match"] == score
