"""The main job on a real checkpoint, SmolLM2-135M-Instruct: train adapters, evaluate and check them."""

import json
from pathlib import Path

import pytest

import holdfast
from holdfast.harness.actions.training import make_recipe_of, train_adapter

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models/smollm2"
METHODS = {
    "plain": {},
    "robust": {"objective": "s2r2", "objective_args": "penalty=cross_entropy,warmup=0.0,max_new_tokens=16"},
    "flat": {"noise": "flat_lora"},
}


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three adapters, each trained for three steps by another method."""
    folder = tmp_path_factory.mktemp("adapters")
    common = {"model": str(MODEL), "data": str(ROOT / "examples/train.jsonl"), "max_steps": 3, "disable_tqdm": True}
    common |= {"lora": "r=8,alpha=16,targets=q_proj+v_proj", "learning_rate": 2e-3, "per_device_train_batch_size": 4}
    for name, settings in METHODS.items():
        train_adapter(make_recipe_of({}, {**common, **settings, "output_dir": str(folder / name)}, []))
    return {name: folder / name for name in METHODS}


@pytest.fixture(scope="module")
def results(adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> holdfast.Results:
    return holdfast.evaluate(
        model_args={"pretrained": str(MODEL), "dtype": "float32"},
        adapters=["base", *map(str, adapters.values())],
        tasks=str(ROOT / "examples/capitals.yaml"),
        perturbations="typos@0.05,case@0.05",
        encoder="minilm",
        output_path=str(tmp_path_factory.mktemp("run") / "run"),
    )


def test_every_adapter_answers_every_prompt(results: holdfast.Results) -> None:
    samples = results.samples
    assert samples.groupby("adapter").size().nunique() == 1
    assert (samples["output"].str.len() > 0).mean() > 0.9
    assert set(results.leaderboard["adapter"]) == {"base", *METHODS}
    assert results.leaderboard["has_effect"].dropna().all()


def test_the_base_knows_capitals(results: holdfast.Results) -> None:
    """The weights are real: a 135M model names capitals in its own words."""
    clean = results.samples[(results.samples["perturbation"] == "clean") & (results.samples["adapter"] == "base")]
    assert clean["token_f1"].max() > 0


def test_drifts_are_above_the_noise_floor(results: holdfast.Results) -> None:
    board = results.leaderboard.set_index("adapter")
    assert board.loc["base", "noise_floor"] < 0.05
    assert board["max_drift"].between(0, 1).all()


def test_an_adapter_may_replace_itself(results: holdfast.Results) -> None:
    assert holdfast.check(f"{results.path}:plain", f"{results.path}:plain").verdict == "PASS"


def test_the_run_names_what_it_ran_on(results: holdfast.Results) -> None:
    manifest = json.loads((results.path / "run.json").read_text())
    assert manifest["config"]["model_args"]["pretrained"] == str(MODEL)
    assert manifest["status"] == "complete"
