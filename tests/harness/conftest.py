"""Fixtures: a small task, and a function that runs it on the fake engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, evaluate
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake

CONTENTS = (
    "What is the capital of the small country of Freedonia, please?",
    "Who wrote the long novel about the whale and the captain?",
    "When does the morning train from Lyon to Paris leave today?",
    "How many people live in the old town near the big river?",
    "Where did Anna leave the red umbrella on Tuesday evening?",
)


@pytest.fixture
def task() -> Task:
    samples = [Sample(f"s{i}", content, (f"reference {i}",)) for i, content in enumerate(CONTENTS)]
    return Task("small", tuple(samples), ("token_f1", "exact_match"))


@pytest.fixture
def run(tmp_path: Path, task: Task) -> Callable[..., Results]:
    """A function `run(fake, name="value", ...)` that evaluates the small task; None leaves a setting out."""

    def run(fake: Fake, **settings: Any) -> Results:
        chosen = {
            "tasks": [task],
            "adapters": "base,other=base",
            "perturbations": "typos,word_deletion",
            "encoder": "lexical",
            "min_meaning": 0,
            "output_path": str(tmp_path / "run"),
        }
        merged = {**chosen, **settings}
        return evaluate(backend=fake, **{name: value for name, value in merged.items() if value is not None})

    return run
