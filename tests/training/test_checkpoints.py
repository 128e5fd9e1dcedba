"""A training goes on from the last whole checkpoint of its own, and says so where a newer one is damaged."""

import shutil
from pathlib import Path

import pytest
import torch

from holdfast.errors import UserError
from tests.training.test_train import ROWS, trained, written

STEPS = {"max_steps": 3, "save_steps": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("data") / "train.jsonl", ROWS)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    """The folder of a training that saved three checkpoints, and what it made."""
    out = tmp_path_factory.mktemp("finished") / "out"
    return out, trained(data, out, **STEPS)


@pytest.fixture
def stopped(finished: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path) -> Path:
    """The same, stopped before it wrote its result."""
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    (out / "training_card.json").unlink()
    return out


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adapter_model.safetensors", r"checkpoint-3 is damaged \(adapter_model.safetensors can't be read\)"),
        ("optimizer.pt", r"checkpoint-3 is damaged \(optimizer.pt is cut short\)"),
        ("rng_state.pth", r"checkpoint-3 is damaged \(rng_state.pth is cut short\)"),
        ("trainer_state.json", "checkpoint-3 was not finished"),
    ],
)
def test_a_checkpoint_cut_short_is_passed_over_for_the_one_before(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]], name: str, said: str
) -> None:
    cut_short(stopped / "checkpoint-3" / name)
    with pytest.warns(UserWarning, match=rf"{said}: going on from .*checkpoint-2$"):
        again = trained(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_checkpoint_without_its_optimizer_is_passed_over(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    (stopped / "checkpoint-3" / "optimizer.pt").unlink()
    with pytest.warns(UserWarning, match=r"checkpoint-3 is damaged \(optimizer is missing\): going on"):
        again = trained(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_where_every_checkpoint_is_damaged_the_folders_to_delete_are_named(data: Path, stopped: Path) -> None:
    for folder in stopped.glob("checkpoint-*"):
        cut_short(folder / "adapter_model.safetensors")
    with pytest.raises(UserError, match=r"no checkpoint in .* is whole: .*to begin anew delete .*checkpoint-1, or"):
        trained(data, stopped, **STEPS)


def test_a_training_killed_in_its_first_saving_begins_anew(
    data: Path, stopped: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    for step in (2, 3):
        shutil.rmtree(stopped / f"checkpoint-{step}")
    (stopped / "checkpoint-1" / "trainer_state.json").unlink()
    with pytest.warns(UserWarning, match="checkpoint-1 was not finished: beginning anew"):
        again = trained(data, stopped, **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_damaged_result_is_made_again(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    cut_short(tmp_path / "out" / "adapter_model.safetensors")
    with pytest.warns(UserWarning, match="it is made again"):
        again = trained(data, tmp_path / "out", **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_a_result_without_its_weights_is_made_again(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    shutil.copytree(finished[0], tmp_path / "out")
    (tmp_path / "out" / "adapter_model.safetensors").unlink()
    with pytest.warns(UserWarning, match=r"is damaged \(model is missing\): it is made again"):
        again = trained(data, tmp_path / "out", **STEPS)
    assert all(torch.equal(again[name], tensor) for name, tensor in finished[1].items())


def test_an_adapter_that_is_there_already_is_not_overwritten(
    data: Path, tmp_path: Path, finished: tuple[Path, dict[str, torch.Tensor]]
) -> None:
    (tmp_path / "out").mkdir()
    shutil.copy(finished[0] / "adapter_model.safetensors", tmp_path / "out")
    with pytest.raises(UserError, match=r"holds adapter_model.safetensors but no recipe.json"):
        trained(data, tmp_path / "out", **STEPS)


def test_checkpoints_of_nobody_knows_whom_are_refused(data: Path, stopped: Path) -> None:
    (stopped / "recipe.json").unlink()
    with pytest.raises(UserError, match=r"holds checkpoint-1 but no recipe.json that says which training made it"):
        trained(data, stopped, **STEPS)


def test_a_checkpoint_that_fits_another_model_is_refused(data: Path, stopped: Path, tmp_path: Path) -> None:
    trained(data, tmp_path / "other", **STEPS, lora="r=4,alpha=4,targets=q_proj+v_proj")
    shutil.rmtree(stopped / "checkpoint-3")
    shutil.copytree(tmp_path / "other" / "checkpoint-3", stopped / "checkpoint-3")
    with pytest.raises(UserError, match=r"checkpoint-3 does not fit this recipe's model, so another training made it"):
        trained(data, stopped, **STEPS)
