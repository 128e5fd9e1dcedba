"""Runs on a local Ray cluster of two workers: whatever dies, no answer is lost or duplicated."""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from holdfast import Results
from holdfast.errors import UserError
from holdfast.harness.backends import Backend, Generation, Request
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.execute import distributed
from holdfast.harness.execute.distributed_scoring import DistributedScorer
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.scoring import Row, Scorer
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.config import make_config
from tests.harness.fakes import Fake, FakeEngine, Killed

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")

Evaluate = Callable[..., Results]
TWO = {"distributed": "ray", "replicas": 2}


class Mortal(FakeEngine):
    """Kills its process once, at the second batch, unless another engine did before."""

    def __init__(self, adapters: Sequence[Adapter], grave: Path) -> None:
        super().__init__(adapters, 4, None, None)
        self.grave = grave

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        for batch in super().generate(requests, done):
            if len(self.batches) >= 2 and not self.grave.exists():
                self.grave.touch()
                os._exit(1)
            yield batch


class Doomed(FakeEngine):
    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        os._exit(1)


class Refusing(FakeEngine):
    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        raise UserError("this engine refuses")


@pytest.fixture(autouse=True, scope="module")
def _cluster() -> Iterator[None]:
    import ray

    here = str(Path(__file__).parents[3])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": here}})
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "CHUNK", 5)


def mortal(grave: Path) -> Callable[[BackendOptions, Sequence[Adapter]], Backend]:
    return lambda options, adapters: Mortal(adapters, grave)


def keys(results: Results) -> Counter[str]:
    lines = (results.path / "samples.jsonl").read_text("utf-8").splitlines()
    return Counter(json.loads(line)["key"] for line in lines)


def test_no_answer_is_lost_if_a_worker_dies(run: Evaluate, tmp_path: Path) -> None:
    alone = run(Fake(), output_path=str(tmp_path / "alone"))
    results = run(mortal(tmp_path / "grave"), output_path=str(tmp_path / "ray"), **TWO)
    assert (tmp_path / "grave").exists()
    assert keys(results) == keys(alone)
    assert set(keys(results).values()) == {1}
    for name in ("breakdown.csv", "leaderboard.csv"):
        assert (results.path / name).read_bytes() == (alone.path / name).read_bytes()
    assert json.loads((results.path / "run.json").read_text())["engine"]["replicas"] == 2


def test_a_run_resumes_after_its_driver_died(run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = run(Fake(), output_path=str(tmp_path / "alone"))
    generate = distributed.Replicas.generate

    def dying(self: distributed.Replicas, *arguments: object) -> Iterator[Sequence[Generation]]:
        for number, batch in enumerate(generate(self, *arguments)):  # type: ignore[arg-type]
            if number == 1:
                raise Killed
            yield batch

    settings = {"output_path": str(tmp_path / "ray"), "distributed": "ray"}
    with monkeypatch.context() as patch:
        patch.setattr(distributed.Replicas, "generate", dying)
        with pytest.raises(Killed):
            run(mortal(Path(os.devnull)), replicas=2, **settings)
    resumed = run(mortal(Path(os.devnull)), replicas=1, **settings)
    assert keys(resumed) == keys(alone)
    assert (resumed.path / "leaderboard.csv").read_bytes() == (alone.path / "leaderboard.csv").read_bytes()


def test_a_restarted_scorer_gives_the_same_scores(tmp_path: Path) -> None:
    import ray

    config = make_config({"tasks": ["factual_qa"], "encoder": "lexical", **TWO})
    pairs = [(f"The bridge of river {i} was built in 19{i:02}.", f"It was built in 19{i + 1:02}.") for i in range(20)]
    rows = [Row(("token_f1",), after, (before,), {}, before) for before, after in pairs]
    scorer = DistributedScorer(config)
    expected = Scorer(run_encoding(config, ()), config.granularity).score(rows)
    assert scorer.score(rows) == expected
    ray.kill(scorer._actors[0], no_restart=False)
    assert scorer.score(rows) == expected


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_an_unreachable_address_gives_a_one_line_error(
    address: str, monkeypatch: pytest.MonkeyPatch, run: Evaluate
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UserError, match=f"no Ray cluster answers at --ray_address '{address}'"):
        run(Fake(), ray_address=address, **TWO)


@pytest.mark.parametrize("settings", [{"replicas": 50}, {"replicas": 1, "gpus_per_replica": 1.0}])
def test_too_many_replicas_for_this_machine_are_an_error(run: Evaluate, settings: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"replicas need (50 CPUs, but there are only 2|1 GPUs, but there are only 0)"):
        run(Fake(), distributed="ray", **settings)


def test_replicas_cannot_return_hidden_states(run: Evaluate) -> None:
    with pytest.raises(UserError, match="--encoder model: replicas on Ray don't return"):
        run(Fake(), encoder="minilm,hi=model", **TWO)


def test_an_error_of_a_scorer_is_one_line(run: Evaluate) -> None:
    rows = [Row((), "a", (), {}, "b")]
    config = make_config({"tasks": ["factual_qa"], "encoder": "lexical", "spacy_pipeline": "no_such_pipeline", **TWO})
    with pytest.raises(UserError, match=r"^.*no_such_pipeline"):
        DistributedScorer(config).score(rows)


def test_an_error_of_an_engine_is_one_line(run: Evaluate) -> None:
    with pytest.raises(UserError, match=r"^this engine refuses$"):
        run(lambda options, adapters: Refusing(adapters, 4, None, None), **TWO)


def test_replicas_that_keep_dying_end_the_run(run: Evaluate) -> None:
    with pytest.raises(UserError, match="every replica died more than 3 times: .* the same command resumes the run"):
        run(lambda options, adapters: Doomed(adapters, 4, None, None), distributed="ray", replicas=1)
