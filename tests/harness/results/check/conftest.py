"""Fixtures: two adapters of one run on the fake engine, of which one answers some prompts differently."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

RIGHT, WRONG = "The train to Lyon leaves at ten.", "Nobody has seen a whale."


def trains(count: int, name: str = "trains", metric: str = "exact_match") -> Task:
    """A task of which RIGHT is the answer to every question."""
    samples = [Sample(f"s{i:03}", f"Tell me when the train number {i} leaves for Lyon", (RIGHT,)) for i in range(count)]
    return Task(name, tuple(samples), (metric,))


def answering(**shares: float) -> Fake:
    """An engine whose adapters answer this share of the perturbed prompts wrongly; clean ones are answered rightly."""

    def rule(request: Request) -> str:
        clean = "Tell me when the train number" in request.prompt and request.prompt.endswith("leaves for Lyon")
        digits = int("".join(filter(str.isdigit, request.prompt)) or 0)
        return WRONG if not clean and digits % 100 < 100 * shares.get(request.adapter, 0.0) else RIGHT

    return Fake(rule=rule)


@pytest.fixture
def pairs_of(run: Callable[..., Results], tmp_path: Path) -> Callable[..., str]:
    """A function `pairs_of(count, old=0.1, new=0.4, ...)` that runs two adapters and returns the run's directory."""

    def made(count: int, *, folder: str = "run", **settings: Any) -> str:
        shares = {name: settings.pop(name) for name in ("old", "new") if name in settings}
        chosen = {
            "tasks": [trains(count)],
            "adapters": "old=pocket-steady,new=pocket-narrow",
            "perturbations": "typos@0.1",
            "output_path": str(tmp_path / folder),
        }
        return str(run(answering(**shares), **{**chosen, **settings}).path)

    return made
