"""Fields of TrainingArguments that touch the loss, the sampler or the collator act as in a plain Trainer, or are refused."""

import dataclasses
import json
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
from holdfast.training.arguments import DEFAULT_ARGUMENTS
from holdfast.training.examples import encode, read_examples
from holdfast.training.library_fields import training_arguments
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
