"""Complete runs on vllm: the same texts and scores as on hf, and a killed run resumes."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results
from holdfast.harness.backends import Backend, Generation, backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from tests.harness.fakes import Killed
from tests.vllm.engines import rows, run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(tmp_path_factory.mktemp("vllm"), "vllm")


def test_texts_and_scores_are_those_of_the_hf_backend(whole: Results, tmp_path: Path) -> None:
    reference = run(tmp_path, "hf")
    assert rows(whole) == rows(reference)
    numbers = [name for name in reference.leaderboard.columns if name != "seconds"]
    assert whole.leaderboard[numbers].equals(reference.leaderboard[numbers])
    engine = json.loads((whole.path / "run.json").read_text())["engine"]
    assert (engine["backend"], engine["max_loras"], engine["prefix_caching"]) == ("vllm", 3, True)


def test_a_killed_run_resumes_where_it_stopped(whole: Results, tmp_path: Path) -> None:
    class Dying:
        def __init__(self, engine: Backend) -> None:
            self.engine = engine
            self.handed_out = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self.engine, name)

        def generate(self, requests: Any, done: Any = ()) -> Iterator[Sequence[Generation]]:
            for batch in self.engine.generate(requests, done):
                if self.handed_out:
                    raise Killed
                self.handed_out = len(batch)
                yield batch

    def connect(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
        return Dying(backends.get("vllm").build(options, adapters))

    with pytest.raises(Killed):
        run(tmp_path, "vllm", backend=connect)
    stored = (tmp_path / "vllm" / "samples.jsonl").read_text("utf-8")
    assert 0 < len(stored.splitlines()) < len(rows(whole))
    resumed = run(tmp_path, "vllm")
    assert (resumed.path / "samples.jsonl").read_text("utf-8").startswith(stored)
    assert rows(resumed) == rows(whole)
