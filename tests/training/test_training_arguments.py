"""Fields of TrainingArguments that touch the loss, the sampler or the collator act as in a plain Trainer, or are refused."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments, set_seed

from holdfast import train
from holdfast.errors import UserError
from holdfast.harness.cli import main
from holdfast.training.arguments import DEFAULT_ARGUMENTS
from holdfast.training.examples import encode, read_examples
from holdfast.training.library_fields import training_arguments
from holdfast.training.recipe import make_recipe
from tests.training.tiny_checkpoint import save_tiny_model

ROWS = [{"prompt": f"Room {i}?", "completion": "Yes. " + "It is on the left. " * (i % 7)} for i in range(13)]
BASIC: dict[str, Any] = {
    "optim": "sgd",
    "learning_rate": 0.5,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "max_grad_norm": 0,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "disable_tqdm": True,
    "use_cpu": True,
}
WORKING: dict[str, dict[str, Any]] = {
    "nothing": {},
    "label_smoothing_factor": {"label_smoothing_factor": 0.3},
    "average_tokens_across_devices": {"average_tokens_across_devices": False},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 3},
    "neftune_noise_alpha": {"neftune_noise_alpha": 5.0},
    "max_grad_norm": {"max_grad_norm": 0.1},
    "gradient_checkpointing": {"gradient_checkpointing": True},
    "bf16": {"bf16": True},
    "group_by_length": {"train_sampling_strategy": "group_by_length"},
    "batch_rebalance": {"train_sampling_strategy": "batch_rebalance", "gradient_accumulation_steps": 2},
    "sequential": {"train_sampling_strategy": "sequential"},
    "data_seed": {"data_seed": 7},
    "dataloader_drop_last": {"dataloader_drop_last": True},
    "dataloader_num_workers": {"dataloader_num_workers": 1, "dataloader_prefetch_factor": 2},
    "accelerator_config": {"accelerator_config": {"split_batches": True}},
    "auto_find_batch_size": {"auto_find_batch_size": True},
    "remove_unused_columns": {"remove_unused_columns": True},
    "include_num_input_tokens_seen": {"include_num_input_tokens_seen": "all"},
}
REFUSED: dict[str, Any] = {
    "label_names": ["answers"],
    "length_column_name": "size",
    "include_for_metrics": ["loss"],
    "batch_eval_metrics": True,
    "eval_do_concat_batches": False,
    "eval_use_gather_object": True,
    "fp16_full_eval": True,
    "bf16_full_eval": True,
    "parallelism_config": {"tp_size": 2},
    "do_predict": True,
    "dataloader_persistent_workers": True,
    "dataloader_prefetch_factor": 2,
    "dataloader_multiprocessing_context": "spawn",
    "do_eval": True,
    "eval_on_start": True,
    "metric_for_best_model": "accuracy",
    "gradient_checkpointing_kwargs": {"use_reentrant": False},
    "liger_kernel_config": {"rope": True},
    "fsdp_config": {"min_num_params": 5},
    "hub_model_id": "me/mine",
    "optim_target_modules": "q_proj",
    "load_best_model_at_end": True,
    "eval_steps": 5,
    "eval_delay": 1,
    "eval_accumulation_steps": 2,
    "per_device_eval_batch_size": 4,
    "greater_is_better": True,
}
COMBINED: dict[str, dict[str, Any]] = {
    "save_steps has no effect with save_strategy=epoch": {"save_steps": 3, "save_strategy": "epoch"},
    "logging_steps has no effect with logging_strategy=no": {"logging_steps": 3, "logging_strategy": "no"},
    "the best checkpoint is found by evaluating": {"save_strategy": "best"},
    "lr_scheduler_type=reduce_lr_on_plateau follows the evaluations": {"lr_scheduler_type": "reduce_lr_on_plateau"},
}
EVALUATED: dict[str, dict[str, Any]] = {
    "eval_strategy is epoch and save_strategy is steps": {"load_best_model_at_end": True},
    "eval_steps has no effect with eval_strategy=epoch": {"eval_steps": 4},
    r"save_steps \(5\) must be a multiple of eval_steps \(2\)": {
        "load_best_model_at_end": True,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_steps": 5,
    },
    "the best checkpoint is found by evaluating": {"load_best_model_at_end": True, "eval_strategy": "no"},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model("llama", tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def ours(base: Path, data: Path, out: Path, **arguments: Any) -> dict[str, torch.Tensor]:
    train(
        data,
        out,
        model_args=f"pretrained={base}",
        lora="r=2,alpha=4,targets=q_proj+v_proj",
        arguments={**BASIC, **arguments},
    )
    return load_file(out / "adapter_model.safetensors")


def plain(base: Path, data: Path, out: Path, **arguments: Any) -> dict[str, torch.Tensor]:
    """Train with transformers' own Trainer, collator and loss."""
    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="right")
    rows = [encode(each, tokenizer) for each in read_examples(str(data))]
    items = [{"input_ids": list(r.ids), "labels": [-100] * r.prompt + list(r.ids[r.prompt :])} for r in rows]
    lora = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), lora)
    common = {"seed": 0, "data_seed": 0, "save_strategy": "no", "report_to": "none", "remove_unused_columns": False}
    trainer = Trainer(
        model,
        TrainingArguments(str(out), **{**common, **BASIC, **arguments}),
        data_collator=transformers.DataCollatorForSeq2Seq(tokenizer),
        train_dataset=items,
        processing_class=tokenizer,
    )
    trainer.train()
    model.save_pretrained(out, save_embedding_layers=False)
    return load_file(out / "adapter_model.safetensors")


@pytest.mark.parametrize("case", WORKING)
def test_a_field_acts_as_in_a_plain_trainer(base: Path, data: Path, tmp_path: Path, case: str) -> None:
    found = ours(base, data, tmp_path / "ours", **WORKING[case])
    expected = plain(base, data, tmp_path / "plain", **WORKING[case])
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.allclose(found[name], weight, rtol=1e-3, atol=2e-5 if case != "bf16" else 1e-3), name


def test_label_smoothing_changes_the_result(base: Path, data: Path, tmp_path: Path) -> None:
    sharp = ours(base, data, tmp_path / "sharp")
    smooth = ours(base, data, tmp_path / "smooth", label_smoothing_factor=0.3)
    assert any(not torch.allclose(sharp[name], smooth[name], rtol=0.05) for name in sharp if "lora_B" in name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_field_without_effect_is_refused(base: Path, data: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"^{name} ") as caught:
        ours(base, data, tmp_path / "out", **{name: REFUSED[name]})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("message", COMBINED)
def test_fields_that_cancel_each_other_are_refused(base: Path, data: Path, tmp_path: Path, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ours(base, data, tmp_path / "out", **COMBINED[message])


def test_lora_plus_decays_weights_as_the_trainer_does(base: Path, data: Path, tmp_path: Path) -> None:
    lora = "r=2,alpha=4,targets=q_proj+v_proj"
    arguments = {**BASIC, "weight_decay": 0.3, "optim": "adamw_torch", "learning_rate": 0.01}
    for name, ratio in (("plain", ""), ("plus", ",loraplus_lr_ratio=1")):
        train(data, tmp_path / name, model_args=f"pretrained={base}", lora=lora + ratio, arguments=arguments)
    found, expected = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("plus", "plain"))
    assert all(torch.allclose(found[name], weight, atol=1e-6) for name, weight in expected.items())


def test_a_directory_is_named_once(base: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="output_path is given twice"):
        ours(base, data, tmp_path / "out", output_dir="elsewhere")
    words = ["train", "--data", str(data), "--output_path", str(tmp_path / "out"), "--output-dir", "elsewhere"]
    with pytest.raises(SystemExit):
        main(words)
    assert "--output_path is given twice, as --output_path and as --output_dir" in capsys.readouterr().err
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"data: {data}\noutput_path: a\noutput_dir: b\n")
    assert main(["train", "--config", str(recipe)]) == 1
    assert "output_path is given twice, as output_path and as output_dir" in capsys.readouterr().err
    recipe.write_text(f"data: {data}\noutput_path: a\narguments: {{output_dir: b}}\n")
    assert main(["train", "--config", str(recipe)]) == 1
    assert "output_dir can't be set: name the directory with --output_path" in capsys.readouterr().err


@pytest.mark.parametrize("message", EVALUATED)
def test_evaluations_that_cannot_serve_are_refused(data: Path, tmp_path: Path, message: str) -> None:
    with pytest.raises(UserError, match=message):
        train(data, tmp_path / "out", eval_data=data, arguments=EVALUATED[message])


SENTENCES: list[Any] = [-1, 0, 1.5, 10**400, float("nan"), True, "x", "", "1e-3", [], ["x"], {}, {"x": 1}]


def test_every_refusal_of_a_field_is_a_whole_sentence() -> None:
    said = set()
    for name in training_arguments():
        for value in SENTENCES:
            for evaluated in ({}, {"eval_data": "e.jsonl"}):
                try:
                    make_recipe({"data": "d.jsonl", "output_path": "o", **evaluated, "arguments": {name: value}})
                except UserError as error:
                    said.add(str(error))
    assert len(said) > 300
    ends = re.compile(r"(?:[:;,(]|\b(?:found|got|is|and|or|the|but))\s*$")
    assert [message for message in said if "\n" in message or ends.search(message)] == []


@pytest.mark.parametrize("given", [5, [5], {"a": 1}, True])
def test_report_to_must_be_names(base: Path, data: Path, tmp_path: Path, given: Any) -> None:
    with pytest.raises(UserError, match="^report_to must be a name or a list of names, as in tensorboard, got"):
        ours(base, data, tmp_path / "out", report_to=given)


@pytest.mark.parametrize("noise", ["sam_ab", "sam_w"])
def test_sam_with_deepspeed_is_refused(
    base: Path, data: Path, tmp_path: Path, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = f"^--noise {noise} needs gradients that DeepSpeed does not expose: train without DeepSpeed, or use"
    settings: dict[str, Any] = {"model_args": f"pretrained={base}", "noise": noise}
    with pytest.raises(UserError, match=message):
        train(data, tmp_path / "out", **settings, arguments={"deepspeed": "zero2.json"})
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(UserError, match=message):
        train(data, tmp_path / "out", **settings)


def test_the_fields_read_from_source_are_those_of_the_class() -> None:
    read = training_arguments()
    fields = {field.name: field for field in dataclasses.fields(TrainingArguments)}
    assert read.keys() == fields.keys()
    for name, field in fields.items():
        if isinstance(field.default, (bool, int, float, str)) and type(field.default) in (bool, int, float, str):
            assert read[name].default in (field.default, None), name
    assert set(read["lr_scheduler_type"].choices) == {each.value for each in transformers.SchedulerType}
    assert {name for name in read if read[name].is_switch} == {
        name for name, field in fields.items() if field.type in (bool, bool | None)
    }
    assert DEFAULT_ARGUMENTS.keys() <= read.keys()
