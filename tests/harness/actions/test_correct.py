"""`holdfast correct`: adapters of every make, mended or refused, with an account of it."""

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from holdfast import evaluate
from holdfast.harness.actions.subspaces import Subspace, make_subspace
from holdfast.harness.cli import main
from holdfast.harness.models.adapter_files import read_adapter
from holdfast.training.corrections import csulora
from tests.harness.actions.pairs import Setting, card_of, command, merged, reconfigured, saved_adapter, saved_pair
from tests.training.corrections.made import dense_csulora
from tests.training.models import tiny

MAKES: dict[str, dict[str, Any]] = {
    "plain": {},
    "rslora": {"use_rslora": True},
    "ranks": {"rank_pattern": {"q_proj": 2, r"layers\.1\.mlp\.down_proj": 5}},
    "alphas": {"alpha_pattern": {"k_proj": 3, r"layers\.1\.mlp\.down_proj": 32}, "rank_pattern": {"k_proj": 1}},
    "some modules": {"target_modules": ["v_proj", "up_proj"]},
    "some layers": {"target_modules": ["q_proj"], "layers_to_transform": [1]},
}


@pytest.mark.parametrize("rank", ["keep", "exact", "3"])
@pytest.mark.parametrize("make", MAKES)
def test_peft_loads_what_the_theory_says(make: str, rank: str, setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter", **MAKES[make])
    assert command(adapter, subspace, tmp_path / "out", "--strength", "3", "--rank", rank) == 0
    source, space = read_adapter(str(adapter)), Subspace(subspace)
    asked: Any = rank if rank != "3" else 3
    wanted = csulora(source.factors, space, strength=3.0, rank=asked)
    changes = merged(aligned, tmp_path / "out")
    touched = {name.removesuffix(".weight") for name, change in changes.items() if change.abs().max() > 0}
    assert touched == set(source.factors)
    for name, each in wanted.items():
        assert torch.allclose(changes[f"{name}.weight"], each.factors.dense(), atol=1e-5)
        if rank == "exact":
            dense = dense_csulora(source.factors[name], space[name], 3.0)
            assert torch.allclose(changes[f"{name}.weight"], dense, atol=1e-5)


def test_conv1d_is_corrected_the_right_way_round(tmp_path: Path) -> None:
    base, aligned = saved_pair(tmp_path, "gpt2")
    make_subspace(str(base), str(aligned), tmp_path / "s", rank=6)
    adapter = saved_adapter(aligned, tmp_path / "adapter", "gpt2", fan_in_fan_out=True)
    assert command(adapter, tmp_path / "s", tmp_path / "out", "--rank", "exact") == 0
    name = "transformer.h.1.attn.c_attn"
    dense = dense_csulora(read_adapter(str(adapter)).factors[name], Subspace(tmp_path / "s")[name], 1.0)
    assert torch.allclose(merged(aligned, tmp_path / "out", "gpt2")[f"{name}.weight"], dense.T, atol=1e-5)


def test_a_corrected_adapter_runs(tmp_path: Path) -> None:
    subspace = tmp_path / "s.safetensors"
    make_subspace("pocket-base", "pocket-aligned", subspace, rank=16)
    assert main(["correct", "pocket-narrow", "--subspace", str(subspace), "--out", str(tmp_path / "out")]) == 0
    results = evaluate(
        tasks="factual_qa",
        adapters=f"base,{tmp_path / 'out'}",
        perturbations="typos",
        limit=2,
        encoder="lexical",
        output_path=tmp_path / "run",
    )
    assert results.leaderboard["has_effect"].dropna().all()


@pytest.mark.parametrize("setting_flag", [["--strength", "2"], ["--strength=2"], ["--signed"]])
def test_the_adapter_may_stand_behind_a_setting(setting: Setting, tmp_path: Path, setting_flag: list[str]) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    words = ["correct", "--subspace", str(subspace), "--out", str(tmp_path / "out"), *setting_flag, str(adapter)]
    assert main(words) == 0
    name = setting_flag[0][2:].partition("=")[0]
    assert card_of(tmp_path / "out")["settings"][name] == (True if name == "signed" else 2)


def test_the_card_accounts_for_every_module(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    assert command(adapter, subspace, tmp_path / "out", "--strength", "2") == 0
    card = card_of(tmp_path / "out")
    before, after = read_adapter(str(adapter)).factors, read_adapter(str(tmp_path / "out")).factors
    assert {each["name"] for each in card["modules"]} == set(before)
    for each in card["modules"]:
        one = before[each["name"]].dense()
        assert sum(each["energies"].values()) == pytest.approx(float(one.norm() ** 2), rel=1e-4)
        moved = float((after[each["name"]].dense() - one).norm())
        assert each["distance"] == pytest.approx(moved, rel=1e-4)
        assert each["recompression_error"] >= 0
        assert -1 <= each["sign_cosine"] <= 1
    manifest = Subspace(subspace).manifest
    assert card["aligned_digest"] == manifest.aligned_digest
    assert card["settings"]["strength"] == 2
    assert 0 < card["relative_distance"] < 1


def test_a_sweep_equals_single_corrections(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    assert command(adapter, subspace, tmp_path / "sweep", "--strength", "0.5,2") == 0
    assert command(adapter, subspace, tmp_path / "one", "--strength", "2") == 0
    assert {path.name for path in (tmp_path / "sweep").iterdir()} == {"strength-0.5", "strength-2"}
    several, single = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("sweep/strength-2", "one"))
    assert all(torch.equal(several[name], single[name]) for name in single)


@pytest.mark.parametrize("method", ["csulora", "safelora", "shrink", "project", "random_subspace"])
def test_every_method_writes_an_adapter_of_the_rank_it_had(method: str, setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter", rank=3)
    assert command(adapter, subspace, tmp_path / "out", "--method", method) == 0
    assert {each.rank for each in read_adapter(str(tmp_path / "out")).factors.values()} == {3}
    old, new = (json.loads((path / "adapter_config.json").read_text()) for path in (adapter, tmp_path / "out"))
    assert old == new


def test_safelora_reads_the_whole_displacement(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    assert command(adapter, subspace, tmp_path / "out", "--method", "safelora", "--number", "4") == 0
    cosines = {each["name"]: each["cosine"] for each in card_of(tmp_path / "out")["modules"]}
    moved = {each["name"] for each in card_of(tmp_path / "out")["modules"] if each["distance"] > 0}
    assert moved == set(sorted(cosines, key=lambda name: cosines[name])[:4])
    assert command(adapter, subspace, tmp_path / "none", "--method", "safelora", "--number", "0") == 0
    assert card_of(tmp_path / "none")["distance"] == 0


def test_an_update_of_zero_is_said_to_be(setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    file = adapter / "adapter_model.safetensors"
    save_file({name: tensor * ("lora_A" in name) for name, tensor in load_file(file).items()}, file)
    assert command(adapter, subspace, tmp_path / "out") == 0
    assert "changes nothing: its update is 0" in capsys.readouterr().err


def _poisoned(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    save_file({name: tensor * float("nan") for name, tensor in load_file(file).items()}, file)


def _pickled(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    torch.save(load_file(file), adapter / "adapter_model.bin")
    file.unlink()


def _truncated(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:300])


def _unpaired(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file(
        {name: tensor for name, tensor in tensors.items() if "layers.0.self_attn.q_proj.lora_B" not in name}, file
    )


def _rankless(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    tensors = {n: t[:0] if "lora_A" in n else t[:, :0] for n, t in load_file(file).items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)


def _renamed(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    save_file({name.replace("layers.1", "layers.7"): tensor for name, tensor in load_file(file).items()}, file)


def _other_base(adapter: Path) -> None:
    reconfigured(adapter, base_model_name_or_path="pocket-base")


def _other_shape(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    tensors = {n: t[:, :16].clone() if "lora_A" in n else t for n, t in load_file(file).items()}
    save_file(tensors, file)


def _no_config(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()


def _changed(**changes: Any) -> Callable[[Path], Path]:
    return lambda adapter: reconfigured(adapter, **changes)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_poisoned, "contain NaN or infinity: its training diverged"),
        (_pickled, "is pickled (adapter_model.bin), and a pickle can run code"),
        (_truncated, "is not a readable safetensors file"),
        (_unpaired, "'model.layers.0.self_attn.q_proj' must be two matrices of the same rank"),
        (_rankless, "are empty: gather them before saving"),
        (_renamed, "would not be loaded, because target_modules in its adapter_config.json does not name them"),
        (_other_base, "it was trained on 'pocket-base', the subspace was made from"),
        (_other_shape, "the adapter does not belong to this subspace: 'model.layers.0."),
        (_no_config, "is not a peft adapter: it has no adapter_config.json"),
        (_changed(use_dora=True), "is a DoRA adapter"),
        (_changed(peft_type="LOHA"), "is a LOHA adapter: expected LoRA"),
        (_changed(init_lora_weights="pissa"), "was initialised with init_lora_weights='pissa', which changes the base"),
        (_changed(layer_replication=[[0, 2]]), "replicates layers"),
    ],
)
def test_an_adapter_that_cannot_be_corrected_is_refused(
    harm: Callable[[Path], Any], message: str, setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    harm(adapter)
    capsys.readouterr()
    assert command(adapter, subspace, tmp_path / "out") == 1
    [line] = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_pickled_adapter_is_read_where_it_is_trusted(setting: Setting, tmp_path: Path) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    assert command(adapter, subspace, tmp_path / "plain") == 0
    _pickled(adapter)
    assert command(adapter, subspace, tmp_path / "out", "--allow_pickle") == 0
    one, two = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("plain", "out"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_base_that_was_not_found_gives_a_warning(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aligned, subspace = setting
    adapter = reconfigured(saved_adapter(aligned, tmp_path / "adapter"), base_model_name_or_path="somebody/model")
    assert command(adapter, subspace, tmp_path / "out") == 0
    assert "the adapter's base 'somebody/model' was not found" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_at_the_target(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = {path.name for path in tmp_path.iterdir()}
    capsys.readouterr()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # no file may become larger, as on a full disk
    try:
        assert command(adapter, subspace, tmp_path / "out") == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    [line] = capsys.readouterr().err.splitlines()
    assert "can't write" in line
    assert {path.name for path in tmp_path.iterdir()} == before


def test_an_existing_target_is_not_overwritten(
    setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aligned, subspace = setting
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    assert command(adapter, subspace, adapter) == 1
    assert f"--output_path '{adapter}' already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "lox"], "unknown correction 'lox'; known: csulora, project, random_subspace, safelora, shrink ("),
        (["--method", "csulor"], "unknown correction 'csulor'; did you mean 'csulora'?"),
        (["--method", "s2r2"], "method 's2r2' is not a correction but an objective; use "),
        (["--strength", "strong"], "--strength must be numbers, as in 0.5,1,2, got 'strong'"),
        (["--strength", "-1"], "--strength must be >= 0, got -1.0"),
        (["--strength", "nan"], "--strength must be finite, got nan"),
        (["--rank", "0"], "--rank must be >= 1, got 0"),
        (["--rank", "same"], "--rank must be 'keep' or 'exact' or a valid integer, got 'same'"),
        (["--per_direction", "--separable"], "per_direction and separable are mutually exclusive"),
        (["--method", "shrink", "--signed"], "--signed is not a setting of shrink; known: strength"),
        (["--method", "project", "--strength", "2"], "--strength is not a setting of project; it has none"),
        (["--threshold", "0.5"], "--threshold is not a setting of csulora; known: strength, signed"),
        (
            ["--subspace", "none.safetensors"],
            "subspace 'none.safetensors' does not exist: make it with holdfast subspace",
        ),
    ],
)
def test_wrong_options_are_named(
    options: list[str], message: str, setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(Path("pocket-narrow"), setting[1], tmp_path / "out", *options) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_what_is_no_subspace_is_named(setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other, broken = tmp_path / "other.safetensors", tmp_path / "broken.safetensors"
    save_file({"x": torch.zeros(2)}, other)
    broken.write_bytes(setting[1].read_bytes()[:100])
    for path, message in (
        (other, "is not a subspace, since it has no manifest"),
        (broken, "is not a readable safetensors"),
    ):
        assert command(Path("pocket-narrow"), path, tmp_path / "out") == 1
        assert message in capsys.readouterr().err


def test_safelora_needs_the_checkpoints_as_they_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, aligned = saved_pair(tmp_path)
    make_subspace(str(base), str(aligned), tmp_path / "s", rank=2)
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    model, _ = tiny("llama", seed=5)
    model.save_pretrained(base, max_shard_size="20KB")  # type: ignore[operator]
    capsys.readouterr()
    assert command(adapter, tmp_path / "s", tmp_path / "out", "--method", "safelora") == 1
    assert f"'{base}' has changed since" in capsys.readouterr().err


def test_the_schema_of_the_card_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "correction_card.json"]) == 0
    assert {"schema_version", "modules", "relative_distance"} <= json.loads(capsys.readouterr().out)[
        "properties"
    ].keys()
