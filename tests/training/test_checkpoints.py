"""Training resumes from its last complete checkpoint, and warns about newer ones that are damaged."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from holdfast.errors import UserError
from tests.training.test_train import ROWS, train_and_load, write_rows

STEPS = {"max_steps": 3, "save_steps": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("data") / "train.jsonl", ROWS)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    """The output folder of a run with three checkpoints, and the adapter's weights."""
    out = tmp_path_factory.mktemp("finished") / "out"
    return out, train_and_load(data, out, **STEPS)


@pytest.fixture
def stopped(finished: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path) -> Path:
    """The same folder, as if the run had stopped before it wrote its result."""
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    (out / "training_card.json").unlink()
    return out


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adapter_model.safetensors", r"checkpoint-3 is damaged \(adapter_model.safetensors can't be read\)"),
        ("optimizer.pt", r"checkpoint-3 is damaged \(optimizer.pt is truncated\)"),
        ("rng_state.pth", r"checkpoint-3 is damaged \(rng_state.pth is truncated\)"),
        ("trainer_state.json", "checkpoint-3 is incomplete"),
    ],
)
def test_a_truncated_checkpoint_is_skipped(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]], name: str, message: str
) -> None:
    truncate(stopped / "checkpoint-3" / name)
    with pytest.warns(UserWarning, match=rf"{message}: resuming from .*checkpoint-2$"):
        again = train_and_load(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_checkpoint_without_its_optimizer_is_skipped(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    (stopped / "checkpoint-3" / "optimizer.pt").unlink()
    with pytest.warns(UserWarning, match=r"checkpoint-3 is damaged \(optimizer is missing\): resuming from"):
        again = train_and_load(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_all_checkpoints_damaged_raises_and_names_the_folders(data: Path, stopped: Path) -> None:
    for folder in stopped.glob("checkpoint-*"):
        truncate(folder / "adapter_model.safetensors")
    with pytest.raises(
        UserError, match=r"every checkpoint in .* is damaged: .*to train from the start delete .*checkpoint-1, or"
    ):
        train_and_load(data, stopped, **STEPS)


def test_an_unfinished_first_checkpoint_restarts_training(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    for step in (2, 3):
        shutil.rmtree(stopped / f"checkpoint-{step}")
    (stopped / "checkpoint-1" / "trainer_state.json").unlink()
    with pytest.warns(UserWarning, match="checkpoint-1 is incomplete: training from the start"):
        again = train_and_load(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_damaged_result_is_trained_again(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    truncate(tmp_path / "out" / "adapter_model.safetensors")
    with pytest.warns(UserWarning, match="is damaged .*: training again"):
        again = train_and_load(data, tmp_path / "out", **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_result_without_weights_is_trained_again(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    (tmp_path / "out" / "adapter_model.safetensors").unlink()
    with pytest.warns(UserWarning, match=r"is damaged \(model is missing\): training again"):
        again = train_and_load(data, tmp_path / "out", **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_an_existing_adapter_is_not_overwritten(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    (tmp_path / "out").mkdir()
    shutil.copy(finished[0] / "adapter_model.safetensors", tmp_path / "out")
    with pytest.raises(UserError, match=r"holds adapter_model.safetensors but no recipe.json"):
        train_and_load(data, tmp_path / "out", **STEPS)


@pytest.mark.parametrize("started", ["yesterday", 5, None])
def test_a_wrong_start_in_the_recipe_is_named(data: Path, stopped: Path, started: object) -> None:
    file = stopped / "recipe.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"started": started}))
    with pytest.raises(UserError, match=r"recipe.json: started must be a date and time such as .*: correct it, or"):
        train_and_load(data, stopped, **STEPS)


def test_checkpoints_without_a_recipe_are_refused(data: Path, stopped: Path) -> None:
    (stopped / "recipe.json").unlink()
    with pytest.raises(
        UserError, match=r"holds checkpoint-1 but no recipe.json to say which training run it belongs to"
    ):
        train_and_load(data, stopped, **STEPS)


def test_a_checkpoint_of_a_different_model_is_refused(data: Path, stopped: Path, tmp_path: Path) -> None:
    train_and_load(data, tmp_path / "other", **STEPS, lora="r=4,alpha=4,targets=q_proj+v_proj")
    shutil.rmtree(stopped / "checkpoint-3")
    shutil.copytree(tmp_path / "other" / "checkpoint-3", stopped / "checkpoint-3")
    with pytest.raises(
        UserError, match=r"checkpoint-3 does not fit this recipe's model: it comes from another training run"
    ):
        train_and_load(data, stopped, **STEPS)
