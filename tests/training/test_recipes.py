"""Recipes: what they accept, and the errors for what they don't."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from holdfast.errors import UserError
from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint
from holdfast.training.examples import read_examples
from holdfast.training.folder import RECIPE
from holdfast.training.method import methods_at
from tests.training.models import tiny
from tests.training.test_train import ROWS, write_rows

QUICK = {"lora": "r=2,alpha=4,targets=q_proj", "max_steps": 2, "disable_tqdm": True, "per_device_train_batch_size": 4}

Train = Callable[..., Path]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """`train(out="name", setting=value, ...)` trains on a dozen examples and returns the output directory."""
    data = write_rows(tmp_path / "train.jsonl", ROWS)

    def train(out: str = "out", **settings: Any) -> Path:
        given = {"data": str(data), "output_dir": str(tmp_path / out), **QUICK, **settings}
        return train_adapter(make_recipe_of(given, {}, []))

    return train


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_steps": 0}, "max_steps must be a whole number >= 1, got 0; leave it out"),
        ({"max_steps": -5}, "max_steps must be a whole number >= 1, got -5"),
        ({"max_steps": 1.5}, "max_steps must be a whole number, got 1.5"),
        ({"max_steps": True}, "max_steps must be a finite number, got True"),
        ({"num_train_epochs": 0}, "num_train_epochs must be > 0, got 0"),
        ({"per_device_train_batch_size": 0}, "per_device_train_batch_size must be > 0, got 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be a finite number, got inf"),
        ({"eval_strategy": "epoch"}, "eval_strategy needs data to evaluate on: name it with --eval_data"),
        ({"lora": "bogus=3"}, "--lora: unknown setting 'bogus', not a field of peft's LoraConfig"),
        ({"lora": "r=4,aplha=8"}, "unknown setting 'aplha', .*; did you mean 'alpha'"),
        (
            {"lora": "targets=nope"},
            "the model has no module 'nope'; its linear layers are: q_proj, k_proj, v_proj, o_proj, ",
        ),
        ({"lora": "targets=q_proj+nope"}, "the model has no module 'nope'"),
        ({"lora": "r=0"}, "--lora: r must be a whole number >= 1, got 0"),
        ({"lora": "r=four"}, "--lora: r must be a whole number >= 1, got 'four'"),
        ({"lora": "alpha=-1"}, "--lora: alpha must be a number > 0, got -1"),
        ({"lora": "dropout=1"}, "--lora: dropout must be a number >= 0 and < 1, got 1"),
        ({"lora": "modules_to_save=lm_heed"}, "the model has no module 'lm_heed'"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0, got -1"),
        ({"resume_from_checkpoint": "here"}, "training resumes automatically if --output_path holds its checkpoints"),
        (
            {"objective": "consistency", "objective_args": "weight=-1"},
            "weight must be >= 0, got -1",
        ),
        ({"lora": 4}, "lora must be settings such as r=8,alpha=16, got 4"),
        ({"model": "pocket-steady"}, "--model_args: 'pocket-steady' is an adapter, not a model: name the base"),
        ({"model": "dtype=float32"}, "--model_args names no base"),
        ({"bf16": "maybe"}, "bf16 must be true or false, got 'maybe'"),
        ({"disable_tqdm": 2}, "disable_tqdm must be true or false, got 2"),
        (
            {"objective": "augment", "perturbations": ""},
            "--objective augment needs at least one perturbation: add one, as in --perturbations typos",
        ),
        ({"perturbations": "typoo"}, "unknown perturbation 'typoo'; did you mean 'typos'"),
        ({"perturbations": "typos,emoji+negate@heavy"}, "'emoji\\+negate' changes what a prompt asks"),
        ({"perturbations": "typos,format"}, "'format' changes the template around a prompt"),
        ({"data": "rows.md"}, r"use a .jsonl, .json, .csv, .tsv, .parquet or .txt \(text@label\) file"),
    ],
)
def test_a_mistake_raises_a_one_line_error(train: Train, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        train(**settings)
    assert "\n" not in str(caught.value)


def test_bad_data_is_reported_before_heavy_imports(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "train.jsonl", [{"prompt": None, "completion": "Here."}])
    code = (
        "import sys; from holdfast.harness.cli import main; "
        f"status = main(['train', '--data', {str(data)!r}, '--output_dir', {str(tmp_path / 'out')!r}]); "
        "print(status, sorted({'torch', 'transformers'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"
    assert "line 1: 'prompt' must be a string, got null" in done.stderr


@pytest.mark.parametrize("setting", [{"perturbations": "typos"}, {"protect_facts": True}])
def test_unused_perturbations_are_reported_as_ignored(setting: dict[str, Any], train: Train) -> None:
    [flag] = setting
    with pytest.warns(UserWarning, match=f"--objective none does not perturb prompts: --{flag} is ignored"):
        out = train(**setting, max_steps=1)
    assert (out / "adapter_model.safetensors").is_file()


def test_eval_data_is_evaluated_after_each_epoch(train: Train, tmp_path: Path) -> None:
    out = train(eval_data=str(tmp_path / "train.jsonl"), num_train_epochs=2, max_steps=-1, save_steps=1)
    state = json.loads((max(out.glob("checkpoint-*")) / "trainer_state.json").read_text())
    assert any("eval_loss" in line for line in state["log_history"])


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        ("vit", ROWS, r"\(vit\) can't be trained as a causal text model.*callbacks.FlatLora to your own Trainer"),
        ("vit", [{"text": "a", "label": 1}], r"\(vit\) can't be trained as a classification text model"),
        ("bert", ROWS, r"\(bert\) is an encoder, which can't generate text: train it on rows with 'text' and 'label'"),
    ],
)
def test_an_unsupported_model_raises_a_user_error(
    train: Train, tmp_path: Path, kind: str, rows: list[dict[str, Any]], message: str
) -> None:
    tiny(kind)[0].save_pretrained(tmp_path / kind)
    with pytest.raises(UserError, match=message):
        train(model=str(tmp_path / kind), data=str(write_rows(tmp_path / "rows.jsonl", rows)))


def test_a_directory_without_a_model_raises_a_user_error(train: Train, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="transformers can't load the model '.*nothing'"):
        train(model=str(tmp_path / "nothing"))


def test_a_yaml_recipe_accepts_a_bare_model_and_1e_4(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "train.jsonl", ROWS)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"data: {data}\noutput_dir: {tmp_path / 'out'}\nmodel: pocket-base\nlearning_rate: 1e-4\nmax_steps: 1\n"
        "lora: {r: 2, targets: [q_proj, v_proj]}\ndisable_tqdm: true\n"
    )
    assert main(["train", "--config", str(recipe)]) == 0
    kept = json.loads((tmp_path / "out" / RECIPE).read_text())
    assert (kept["model_args"], kept["arguments"]["learning_rate"]) == ({"pretrained": "pocket-base"}, 1e-4)
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert set(config["target_modules"]) == {"q_proj", "v_proj"}


def test_ignored_lora_settings_are_reported(train: Train) -> None:
    with pytest.warns(UserWarning, match="--full trains every weight without an adapter: --lora is ignored"):
        out = train(full=True, max_steps=1)
    assert (out / "model.safetensors").is_file()
    assert not (out / "adapter_config.json").exists()


def test_a_json_list_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(ROWS, indent=1))
    assert [each.prompt for each in read_examples(str(file))] == [row["prompt"] for row in ROWS]


@pytest.mark.parametrize("init", ["pissa", "olora"])
def test_pissa_and_olora_adapters_fit_the_original_base(train: Train, init: str) -> None:
    lora = f"r=2,alpha=4,targets=q_proj,init={init}"
    still, moved = train("still", lora=lora, learning_rate=0.0), train("moved", lora=lora, warmup_steps=0)
    base = AutoModelForCausalLM.from_pretrained(find_checkpoint("pocket-aligned")).eval()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        plain = base(ids).logits
        unmoved = PeftModel.from_pretrained(base, still, adapter_name="still").eval()
        assert torch.allclose(unmoved(ids).logits, plain, atol=1e-4)
        unmoved.load_adapter(moved, "moved")
        unmoved.set_adapter("moved")
        assert not torch.allclose(unmoved(ids).logits, plain, atol=1e-4)
        unmoved.disable_adapter_layers()
        assert torch.equal(unmoved(ids).logits, plain)
    config = json.loads((still / "adapter_config.json").read_text())
    assert (config["r"], config["init_lora_weights"]) == (4, True)
    assert not (still / "beginning").exists()


def test_modules_to_save_are_listed_like_targets(train: Train) -> None:
    out = train(lora="r=2,targets=q_proj,modules_to_save=lm_head", max_steps=1)
    assert json.loads((out / "adapter_config.json").read_text())["modules_to_save"] == ["lm_head"]
    assert any("lm_head" in name for name in load_file(out / "adapter_model.safetensors"))


def test_a_missing_library_raises_a_user_error(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: Any, **kwargs: Any) -> None:
        raise ImportError("bitsandbytes is not here\nand more")

    monkeypatch.setattr("transformers.Trainer.create_optimizer", missing)
    with pytest.raises(UserError, match="^training needs a library that is not installed: bitsandbytes is not here$"):
        train()


def test_an_unfinished_checkpoint_is_skipped(train: Train) -> None:
    whole = train("whole", save_steps=1)
    killed = train("killed", save_steps=1)
    (killed / "training_card.json").unlink()
    unfinished = killed / "checkpoint-2"
    for name in ("trainer_state.json", "optimizer.pt"):
        (unfinished / name).unlink()
    (killed / "adapter_model.safetensors").unlink()
    train("killed", save_steps=1)
    assert (killed / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()


def test_wandb_is_offline_by_default(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "")  # so that monkeypatch restores it
    monkeypatch.delenv("WANDB_MODE")

    def stop(self: Any) -> None:
        raise ImportError(f"wandb is {os.environ.get('WANDB_MODE')} and missing\nbeyond the first line")

    monkeypatch.setattr("transformers.TrainingArguments.__post_init__", stop)
    with pytest.raises(UserError, match="^TrainingArguments: wandb is offline and missing$"):
        train(report_to="wandb")


@pytest.mark.parametrize("text", ["1e-2", "0.010", ".01", "1E-2", "+0.01", "0.1e-1"])
def test_numbers_may_be_spelled_in_any_usual_way(text: str) -> None:
    named = {"data": "d.jsonl", "output_path": "o", "noise": "sam_ab", "objective": "s2r2"}
    for given in ({"noise_args": f"rho={text}"}, {"noise_args": {"rho": text}}):
        assert make_recipe_of({}, {**named, **given}, []).methods()["weights"][1].rho == 0.01
    every = make_recipe_of({}, {**named, "objective_args": "every=1e1"}, []).methods()["loss"][1].every
    assert repr(every) == "10"
    with pytest.raises(UserError, match="--objective_args: every must be a valid integer, got"):
        make_recipe_of({}, {**named, "objective_args": "every=1.5"}, [])


def test_help_lists_every_setting_with_its_default_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for method in [*methods_at("loss"), *methods_at("weights")]:
        for name, default, text in method.describe_settings():
            written = str(default).lower() if isinstance(default, bool) else default
            assert f"{name}={written} {text}" in shown
    assert "rho=0.25 fraction of the drifts, worst first, to average: 0 takes the maximum, 1 the whole cost " in shown
    assert "(number in [0, 1])" in shown
    assert "(sentence, clause or phrase)" in shown


@pytest.mark.parametrize(("columns", "longest"), [("70", 68), ("120", 118), ("10", 50)])
def test_settings_are_wrapped_as_wide_as_the_terminal(
    columns: str, longest: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        main(["correct", "--help"])
    described = capsys.readouterr().out.split("settings:\n")[1].split("Each setting")[0]
    assert longest - 10 < max(map(len, described.splitlines())) <= longest


def test_what_was_measured_of_a_method_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "methods"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "fails this control" in lines["s2r2"]
