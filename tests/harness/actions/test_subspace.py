"""`holdfast subspace`: from two checkpoints to one file, whatever the architecture, however often interrupted."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

from holdfast.errors import UserError
from holdfast.harness.actions import subspaces
from holdfast.harness.actions.subspaces import Subspace, make_subspace
from holdfast.harness.cli import main
from tests.harness.actions.pairs import loaded, saved_pair
from tests.training.models import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_linear_layer_of_every_architecture_is_found(kind: str, tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path, kind)
    manifest = make_subspace(str(base), str(aligned), tmp_path / "s.safetensors", energy=1.0)
    found = Subspace(tmp_path / "s.safetensors")
    before, after = loaded(base, kind), loaded(aligned, kind)
    head = after.get_output_embeddings()  # type: ignore[operator]
    layers = {
        name: module
        for name, module in after.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and module is not head
    }
    assert set(found) == set(layers)
    for name, module in layers.items():
        d = (module.weight - before.get_submodule(name).weight).detach()
        d = d.T if isinstance(module, Conv1D) else d
        one = found[name]
        assert torch.allclose((one.u * one.values) @ one.v.T, d, atol=1e-3)
        assert one.norm == pytest.approx(float(d.norm()), rel=1e-5)
    assert all(not tensor.endswith(".bias") for tensor in manifest.skipped)


def test_the_manifest_names_checkpoints_modules_and_skipped_tensors(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path)
    out = tmp_path / "s.safetensors"
    assert main(["subspace", "--base", str(base), "--aligned", str(aligned), "--rank", "3", "--out", str(out)]) == 0
    manifest = Subspace(out).manifest
    assert (manifest.base, manifest.aligned, manifest.rank, manifest.energy) == (str(base), str(aligned), 3, None)
    assert len(manifest.base_digest) == len(manifest.aligned_digest) == 64
    assert all(module.rank == 3 and 0 < module.energy < 1 and module.seconds >= 0 for module in manifest.modules)
    assert manifest.skipped == {"lm_head.weight": "output head", "model.embed_tokens.weight": "not a linear layer"}
    assert not out.with_name("s.safetensors.parts").exists()


def test_resized_embeddings_don_t_matter(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path)
    model = loaded(aligned)
    model.resize_token_embeddings(70)  # type: ignore[operator]
    model.save_pretrained(aligned, max_shard_size="20KB")  # type: ignore[operator]
    assert len(make_subspace(str(base), str(aligned), tmp_path / "s.safetensors", rank=2).modules) == 14


def test_checkpoints_saved_without_their_head_are_matched_too(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path, "gpt2")
    bare = tmp_path / "bare"
    loaded(base, "gpt2").transformer.save_pretrained(bare)  # type: ignore[operator, union-attr]
    names = [module.name for module in make_subspace(str(bare), str(aligned), tmp_path / "s", rank=2).modules]
    assert "transformer.h.0.attn.c_attn" in names


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def test_a_killed_one_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, aligned = saved_pair(tmp_path)
    whole, out = tmp_path / "whole.safetensors", tmp_path / "s.safetensors"
    make_subspace(str(base), str(aligned), whole, rank=2)
    write, written = subspaces.write_whole, []

    def mortal(path: Path, *rest: object) -> None:
        if len(written) == 5:
            raise Killed
        written.append(path)
        write(path, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(subspaces, "write_whole", mortal)
        with pytest.raises(Killed):
            make_subspace(str(base), str(aligned), out, rank=2)
    assert not out.exists()
    times = {path: path.stat().st_mtime_ns for path in written}
    with pytest.raises(UserError, match="holds a different subspace"):
        make_subspace(str(base), str(aligned), out, rank=3)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    make_subspace(str(base), str(aligned), out, rank=2)
    one, two = load_file(whole), load_file(out)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_finished_subspace_is_kept_and_never_replaced(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path)
    out = tmp_path / "s.safetensors"
    first = make_subspace(str(base), str(aligned), out, rank=2)
    before = out.stat().st_mtime_ns
    assert make_subspace(str(base), str(aligned), out, rank=2) == first
    assert out.stat().st_mtime_ns == before
    with pytest.raises(UserError, match="holds a different subspace"):
        make_subspace(str(base), str(aligned), out, rank=2, seed=1)


def test_leftovers_of_a_killed_call_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, aligned = saved_pair(tmp_path)
    out = tmp_path / "s.safetensors"

    def killed(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(subspaces.shutil, "rmtree", killed)
        with pytest.raises(Killed):
            make_subspace(str(base), str(aligned), out, rank=2)
    assert out.with_name("s.safetensors.parts").exists()
    make_subspace(str(base), str(aligned), out, rank=2)
    assert not out.with_name("s.safetensors.parts").exists()


def test_a_damaged_plan_or_manifest_is_named(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path)
    out = tmp_path / "s.safetensors"
    plan = tmp_path / "s.safetensors.parts" / "plan.json"
    plan.parent.mkdir()
    plan.write_text('{"schema_version": 1, "ba')
    with pytest.raises(UserError, match="plan.json can't be read .*: delete "):
        make_subspace(str(base), str(aligned), out, rank=2)
    save_file({"a": torch.ones(1)}, out, {"manifest": "{"})
    with pytest.raises(UserError, match="the manifest can't be read"):
        Subspace(out)


def _shard(folder: Path) -> Path:
    return sorted(folder.glob("*.safetensors"))[0]


def _truncate(base: Path, aligned: Path) -> None:
    _shard(aligned).write_bytes(_shard(aligned).read_bytes()[:200])


def _corrupt(base: Path, aligned: Path) -> None:
    _shard(base).write_bytes(b"\xff" * 500)


def _lose_a_shard(base: Path, aligned: Path) -> None:
    _shard(base).unlink()


def _break_the_index(base: Path, aligned: Path) -> None:
    (base / "model.safetensors.index.json").write_text("{")


def _rename(base: Path, aligned: Path) -> None:
    _changed(base, lambda tensors: {name.replace("q_proj", "query"): tensor for name, tensor in tensors.items()})


def _reshape(base: Path, aligned: Path) -> None:
    _changed(
        base,
        lambda tensors: {name: tensor[:8].clone() if "q_proj" in name else tensor for name, tensor in tensors.items()},
    )


def _poison(base: Path, aligned: Path) -> None:
    _changed(aligned, lambda tensors: {name: tensor * float("nan") for name, tensor in tensors.items()})


def _quantise(base: Path, aligned: Path) -> None:
    _changed(aligned, lambda tensors: {name: tensor.to(torch.int8) for name, tensor in tensors.items()})


def _equal(base: Path, aligned: Path) -> None:
    for file in aligned.iterdir():
        file.write_bytes((base / file.name).read_bytes())


def _embeddings_only(base: Path, aligned: Path) -> None:
    _equal(base, aligned)
    _changed(aligned, lambda tensors: {name: tensor + ("embed" in name) for name, tensor in tensors.items()})


def _no_weights(base: Path, aligned: Path) -> None:
    for file in [*base.glob("*.safetensors"), *base.glob("*.index.json")]:
        file.unlink()


def _no_config(base: Path, aligned: Path) -> None:
    (aligned / "config.json").unlink()


def _only_an_adapter(base: Path, aligned: Path) -> None:
    _no_weights(aligned, aligned)
    (aligned / "adapter_config.json").write_text("{}")


def _changed(folder: Path, change: object) -> None:
    tensors = {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}
    _no_weights(folder, folder)
    save_file(change(tensors), folder / "model.safetensors")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_truncate, "is not a readable safetensors file"),
        (_corrupt, "is not a readable safetensors file"),
        (_lose_a_shard, "is incomplete: the shard model-00001-of-"),
        (_break_the_index, "shard index"),
        (_rename, "has no tensor 'model.layers.0.self_attn.q_proj.weight'"),
        (_reshape, "'model.layers.0.self_attn.q_proj.weight' is 8 x 32 in"),
        (_poison, "checkpoints' weights contain NaN or infinity"),
        (_quantise, "is quantised"),
        (_equal, "are equal in every linear layer"),
        (_embeddings_only, "are equal in every linear layer"),
        (_no_weights, "has neither model.safetensors nor model.safetensors.index.json"),
        (_only_an_adapter, "is an adapter, not a whole model: merge it"),
        (_no_config, "is not a model that transformers can load"),
    ],
)
def test_checkpoints_that_cannot_be_compared_are_refused(
    harm: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, aligned = saved_pair(tmp_path)
    harm(base, aligned)  # type: ignore[operator]
    capsys.readouterr()  # of saving
    out = tmp_path / "s.safetensors"
    assert main(["subspace", "--base", str(base), "--aligned", str(aligned), "--out", str(out)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert message in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rank", "0"], "--rank: input should be greater than or equal to 1, got 0"),
        (["--energy", "1.5"], "--energy: input should be less than or equal to 1, got 1.5"),
        (["--rank", "2", "--energy", "0.5"], "--rank and --energy exclude each other: choose one"),
        (["--base", "./none"], "model './none' not found"),
        (["--device", "gpu"], "--device: unknown device 'gpu'"),
        (["--aligned", "pocket-base"], "'pocket-base' and 'pocket-base' are equal in every linear layer"),
    ],
)
def test_wrong_options_are_named(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["subspace", "--base", "pocket-base", "--aligned", "pocket-aligned", "--out", "s.safetensors", *options]
    assert main(given) == 1
    assert message in capsys.readouterr().err


def test_the_schema_of_the_manifest_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "subspace"]) == 0
    assert {"schema_version", "modules", "base_digest"} <= json.loads(capsys.readouterr().out)["properties"].keys()
