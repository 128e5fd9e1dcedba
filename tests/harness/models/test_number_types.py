"""Weights of any type that safetensors can hold are read as the numbers they are, or refused in one line."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from holdfast.harness.actions.subspaces import make_subspace
from holdfast.harness.cli import main
from holdfast.training import pocket
from tests.harness.actions.pairs import saved_adapter, saved_pair

FLOATS = ("float64", "float32", "float16", "bfloat16")
SMALL_FLOATS = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
OTHERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "complex64")


def pocket_steady(folder: Path, kind: str) -> tuple[Path, dict[str, torch.Tensor]]:
    """A copy of the adapter with weights of this type, and those weights."""
    source = pocket.resolve("pocket-steady")
    assert source is not None
    shutil.copytree(source, folder)
    file = folder / "adapter_model.safetensors"
    made = {name: tensor.abs().to(getattr(torch, kind)) for name, tensor in load_file(file).items()}
    save_file(made, file, {"format": "pt"})
    return folder, made


@pytest.mark.parametrize("kind", [*FLOATS, *SMALL_FLOATS])
def test_floats_of_any_size_are_the_numbers_they_are(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, weights = pocket_steady(tmp_path / "adapter", kind)
    assert main(["inspect", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["modules"]
    scale = json.loads((folder / "adapter_config.json").read_text())
    for module in ("model.layers.0.self_attn.q_proj", "model.layers.4.mlp.up_proj"):
        a, b = (weights[f"base_model.model.{module}.lora_{part}.weight"].double() for part in "AB")
        expected = (b @ a * scale["lora_alpha"] / scale["r"]).norm().item()
        assert found[module]["norm"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", OTHERS)
def test_adapters_of_other_types_are_refused(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = pocket_steady(tmp_path / "adapter", kind)
    (tmp_path / "subspace").write_bytes(b"")
    run = ["run", "--adapters", str(folder), "--tasks", "factual_qa", "--output_path", str(tmp_path / "run")]
    for command in (["inspect", str(folder)], run):
        assert main(command) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert "not floating-point numbers: save the adapter again, unquantised" in line


@pytest.mark.parametrize("kind", [*SMALL_FLOATS[:1], *OTHERS])
@pytest.mark.parametrize("which", [0, 1])
def test_quantised_checkpoints_have_no_subspace(
    kind: str, which: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = saved_pair(tmp_path)
    for file in pair[which].glob("*.safetensors"):
        made = {name: tensor.to(getattr(torch, kind)) for name, tensor in load_file(file).items()}
        save_file(made, file, {"format": "pt"})
    names = ["--base", str(pair[0]), "--aligned", str(pair[1])]
    assert main(["subspace", *names, "--rank", "1", "--output_path", str(tmp_path / "s")]) == 1
    assert f"is quantised (torch.{kind}): use the unquantised checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("change", [*SMALL_FLOATS[:1], *OTHERS, "missing", "shape"])
def test_a_subspace_of_other_numbers_is_refused(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, aligned = saved_pair(tmp_path)
    file = tmp_path / "s"
    make_subspace(str(base), str(aligned), file, rank=1)
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        made = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    name = next(name for name in made if name.endswith(".u"))
    if change == "missing":
        del made[name]
    else:
        made[name] = made[name].repeat(2, 1) if change == "shape" else made[name].to(getattr(torch, change))
    save_file(made, file, metadata)
    adapter = saved_adapter(aligned, tmp_path / "adapter")
    command = ["correct", str(adapter), "--subspace", str(file), "--output_path", str(tmp_path / "out")]
    assert main(command) == 1
    assert f"'{name}' must be floating-point numbers of shape" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
