"""A sweep of `holdfast correct` that was killed: what is written is kept, and nothing else is mixed in."""

import shutil
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.harness.actions.correcting import correct
from holdfast.harness.actions.subspaces import make_subspace
from tests.harness.actions.pairs import Setting, reconfigured, saved_adapter


def test_a_killed_sweep_keeps_what_is_written(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter, out = saved_adapter(aligned, tmp_path / "adapter"), tmp_path / "sweep"
    whole = correct(adapter, subspace, tmp_path / "whole", strength="0.5,1,2")
    correct(adapter, subspace, out, strength="0.5,1,2")
    shutil.rmtree(out / "strength-1")  # as a kill leaves it: each strength appears whole or not at all
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    with pytest.warns(UserWarning, match="kept: .*strength-0.5, .*strength-2"):
        resumed = correct(adapter, subspace, out, strength="0.5,1,2")
    assert before.items() <= {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}.items()
    for one, other in zip(whole, resumed, strict=True):
        assert (one.path / "adapter_model.safetensors").read_bytes() == (
            other.path / "adapter_model.safetensors"
        ).read_bytes()


@pytest.mark.parametrize("changed", ["adapter", "subspace", "setting"])
def test_a_sweep_of_other_inputs_is_not_mixed(setting: Setting, tmp_path: Path, changed: str) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    correct(adapter, subspace, tmp_path / "sweep", strength="0.5,1")
    options = {"signed": True} if changed == "setting" else {}
    if changed == "adapter":
        reconfigured(adapter, lora_alpha=3)
    if changed == "subspace":
        subspace = tmp_path / "other"
        make_subspace(str(aligned.parent / "llama-base"), str(aligned), subspace, rank=2)
    with pytest.raises(UserError, match="already exists with another correction .different "):
        correct(adapter, subspace, tmp_path / "sweep", strength="0.5,1", settings=options)
