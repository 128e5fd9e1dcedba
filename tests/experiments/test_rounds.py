"""What an experiment has measured adds up over its rounds, and is never mixed with what isn't comparable."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def rounds() -> Iterator[ModuleType]:
    folder = str(Path(__file__).parents[2] / "benchmarks" / "experiments")
    sys.path.insert(0, folder)
    yield import_module("rounds")
    sys.path.remove(folder)


def test_rows_of_another_setting_or_recipe_do_not_count(rounds: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    mine = rounds.Rows(file, {"steps": 150, "rate": 3e-3}, {"lora": {}, "augment": {"every": 1}})
    mine.add({"arm": "lora", "seed": 0, "drift": 0.5}, {"arm": "augment", "seed": 0, "drift": 0.25})
    assert list(mine.read().columns) == ["arm", "seed", "drift"]
    assert mine.has(arm="lora", seed=0)
    assert not mine.has(arm="lora", seed=1)
    assert rounds.Rows(file, {"steps": 300, "rate": 3e-3}, mine.arms).read().empty
    changed = rounds.Rows(file, mine.setting, {"lora": {}, "augment": {"every": 2}})
    assert [*changed.read()["arm"]] == ["lora"]


def test_a_round_measures_what_is_missing_arm_by_arm(rounds: ModuleType, tmp_path: Path) -> None:
    rows = rounds.Rows(tmp_path / "rows.jsonl", {}, {"a": 1, "b": 2})
    rows.add({"arm": "a", "seed": 0, "value": 1.0})
    asked = []

    def measure(arm: str, seed: int) -> dict[str, float]:
        asked.append((arm, seed))
        return {"value": 2.0}

    rounds.measure_missing(rows, ["a", "b"], range(2), float("inf"), measure)
    assert asked == [("b", 0), ("a", 1), ("b", 1)]
    assert len(rows.read()) == 4


def test_a_round_without_time_measures_nothing(rounds: ModuleType, tmp_path: Path) -> None:
    rows = rounds.Rows(tmp_path / "rows.jsonl", {}, {})
    rounds.measure_missing(rows, ["a"], [0], 0.0, lambda arm, seed: {})
    assert not rows.file.exists()


def test_packed_answers_come_back_in_any_script(rounds: ModuleType) -> None:
    answers = [["trained", "0", "clean", "Anna meets Ben at 7.\n"], ["trained", "0", "typos", "कहाँ है?"]]
    packed = rounds.pack(answers)
    assert packed.isascii()
    assert rounds.unpack(packed) == answers
