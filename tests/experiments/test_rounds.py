"""What an experiment has measured adds up over its rounds, and is never mixed with what isn't comparable."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from holdfast.training.pocket.vocabulary import Example
from holdfast.training.recipe import Recipe


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "experiments"))


@pytest.fixture
def rounds(experiments: None) -> ModuleType:
    return import_module("rounds")


def test_an_adapter_of_another_recipe_is_never_taken_for_this_one(
    experiments: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms, asked = import_module("arms"), []

    def train(recipe: Recipe) -> None:
        asked.append(recipe.arguments["learning_rate"])
        (Path(recipe.output_path) / arms.CARD).parent.mkdir(parents=True)
        (Path(recipe.output_path) / arms.CARD).write_text("{}")

    monkeypatch.setattr(arms, "train_adapter", train)
    examples = [Example("summary", "Hi.", "Sum up: Hi.", "They greet.", ("They greet.",))]
    for rate, drawn in ((1e-3, examples), (1e-3, examples), (2e-3, examples), (2e-3, 2 * examples)):
        arms.trained({"lora": {"learning_rate": rate}}, [0], lambda seed, drawn=drawn: drawn, 1, tmp_path)
    assert asked == [1e-3, 2e-3, 2e-3]


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
