"""`holdfast inspect`."""

import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from holdfast.harness.actions import flatness
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.training.pocket import corpus, dialogue
from tests.training.models import tiny, with_lora


def test_an_adapter_is_shown_module_by_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "pocket-steady", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    squares = sum(each["norm"] ** 2 for each in found["modules"].values())
    assert found["total"]["norm"] == pytest.approx(squares**0.5)
    assert all(0 < each["effective_rank"] <= each["rank"] for each in found["modules"].values())
    assert main(["inspect", "pocket-steady"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("total")


def test_with_data_it_says_how_flat_the_loss_is_and_draws_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatness, "POINTS", 3)
    monkeypatch.setattr(flatness, "RISK_DRAWS", 2)
    data, picture = tmp_path / "data.jsonl", tmp_path / "loss.png"
    dialogues = islice((each for each in corpus.examples(0) if each.skill == dialogue.SKILL), 2)
    rows = [{"prompt": each.prompt, "completion": each.answer} for each in dialogues]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["inspect", "pocket-steady", "--data", str(data), "--base", "pocket-aligned"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["flatness"]
    rises = [each["rise"] for each in found["sharpness"]]
    assert rises[-1] > rises[0]
    assert found["loss"] > 0
    assert found["largest_eigenvalue"] != 0
    assert found["start"] == "zero"
    assert 0 <= found["pac_bayes"]["risk"] <= found["pac_bayes"]["bound"] <= 1
    assert main([*asked, "--plot", str(picture)]) == 0
    assert "largest Hessian eigenvalue" in capsys.readouterr().out
    assert picture.stat().st_size > 1000
    assert len(picture.with_suffix(".csv").read_text().splitlines()) == 1 + 3 + 9


def test_a_plot_needs_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "pocket-steady", "--plot", "loss.png"]) == 1
    assert "give them with --data" in capsys.readouterr().err


def test_what_is_no_adapter_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path)]) == 1
    assert "it has no adapter_config.json" in capsys.readouterr().err


def test_a_file_in_place_of_an_adapter_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "q.jsonl").write_text("{}")
    assert main(["inspect", str(tmp_path / "q.jsonl")]) == 1
    assert "q.jsonl' is a file, not a directory: name the directory with the adapter's files" in capsys.readouterr().err


def test_inspecting_a_whole_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "pocket-base"]) == 1
    assert "'pocket-base' is a whole model, not an adapter: inspect is for LoRA adapters" in capsys.readouterr().err


def test_missing_data_are_reported_before_a_model_is_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatness, "load", lambda *_: pytest.fail("the model was loaded"))
    assert main(["inspect", "pocket-steady", "--data", "nowhere.jsonl", "--base", "pocket-aligned"]) == 1
    assert "file 'nowhere.jsonl' does not exist" in capsys.readouterr().err


def test_measuring_flatness_on_labels_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"text": "Good.", "label": 1}))
    assert main(["inspect", "pocket-steady", "--data", str(data)]) == 1
    assert "has labels, but flatness is measured on prompts and completions only" in capsys.readouterr().err


def test_measuring_flatness_of_an_encoder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, adapter, data = tmp_path / "base", tmp_path / "adapter", tmp_path / "data.jsonl"
    shutil.copytree(find_checkpoint("pocket-aligned"), base)
    bert, _ = tiny("bert")
    bert.save_pretrained(base)
    with_lora(bert).save_pretrained(adapter)
    data.write_text(json.dumps({"prompt": "Where?", "completion": "Here."}))
    assert main(["inspect", str(adapter), "--base", str(base), "--data", str(data)]) == 1
    assert "(bert) is an encoder, but flatness is measured on generated" in capsys.readouterr().err


def test_a_base_of_other_shapes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "pocket-steady", "--base", "pocket-aligned"]) == 0
    weights = load_file(find_checkpoint("pocket-aligned") / "model.safetensors")
    save_file({key: each[..., :-1].contiguous() for key, each in weights.items()}, tmp_path / "model.safetensors")
    assert main(["inspect", "pocket-steady", "--base", str(tmp_path)]) == 1
    assert "adapter 'pocket-steady' does not fit the base" in capsys.readouterr().err


@pytest.mark.parametrize("settings", [{"use_dora": True}, {"target_modules": ["embed_tokens", "q_proj"]}])
def test_norms_of_dora_and_embeddings_are_those_of_the_factors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any]
) -> None:
    model = with_lora(tiny("llama")[0], **{"target_modules": ["q_proj"], **settings})
    for name, parameter in model.named_parameters():
        if "lora_embedding_A" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    assert main(["inspect", str(tmp_path), "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)["modules"]
    expected = {
        name.removeprefix("base_model.model."): float(module.get_delta_weight("default").norm())
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    assert found.keys() == expected.keys()
    assert all(found[name]["norm"] == pytest.approx(norm, rel=1e-4) for name, norm in expected.items())
    said = "the norms are those of s B A alone; 2 other tensors are left out: model.layers.0.self_attn.q_proj.lora_magn"
    assert (said in printed.err) == ("use_dora" in settings)


def test_flatness_names_what_it_leaves_out(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(find_checkpoint("pocket-base"), dtype=torch.float32)
    adapted = with_lora(model, target_modules=["q_proj", "embed_tokens"])
    adapted.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"prompt": "Where is the vase?", "completion": "In room 2."}) + "\n")
    with pytest.warns(UserWarning, match=r"linear layers only, not on model.embed_tokens \(LoRA of an embedding\)"):
        probed = flatness.Probed(str(tmp_path / "adapter"), str(data), "pocket-base", 2)
    assert probed.layers
    assert all(name.endswith("q_proj") for name in probed.layers)
