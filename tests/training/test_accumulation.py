"""Accumulated micro-batches train the joint batch: every token of an optimizer step weighs the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from holdfast import train
from holdfast.training.examples import encode, read_examples
from tests.training.tiny_checkpoint import save_tiny_model

ROWS = [{"prompt": f"Room {i}?", "completion": "Yes. " + "It is on the left, then up. " * (i % 8)} for i in range(24)]
"""Eight rows make a step; the completions of each eight have very different lengths."""
RATE = 0.5
SPLITS = ((8, 1), (4, 2), (2, 4), (1, 8))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model("llama", tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def trained(base: Path, data: Path, out: Path, batch: int, steps: int, **settings: Any) -> dict[str, torch.Tensor]:
    arguments = {
        "optim": "sgd",
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "max_grad_norm": 0,
        "train_sampling_strategy": "sequential",
        "disable_tqdm": True,
        "logging_steps": 1,
        **settings.pop("arguments", {}),
    }
    train(
        data,
        out,
        model_args=f"pretrained={base}",
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=steps,
        learning_rate=RATE,
        max_steps=3,
        perturbations="typos",
        arguments=arguments,
        **{"lora": "r=2,alpha=4,targets=q_proj+v_proj", **settings},
    )
    return load_file(out / "adapter_model.safetensors")


def plain_loop(base: Path, data: Path) -> dict[str, torch.Tensor]:
    """Train on eight rows a step in plain torch: the sum over their tokens divided by the number of tokens."""
    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    lora = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), lora)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=RATE)
    rows = [encode(each, tokenizer) for each in read_examples(str(data))]
    for first in range(0, 24, 8):
        total, tokens = torch.tensor(0.0), 0
        for row in rows[first : first + 8]:
            ids = torch.tensor([row.ids])
            logits = model(ids).logits[0, row.prompt - 1 : -1]
            total = total + functional.cross_entropy(logits, ids[0, row.prompt :], reduction="sum")
            tokens += len(row.ids) - row.prompt
        optimizer.zero_grad()
        (total / tokens).backward()
        optimizer.step()
    names = (name for name, p in model.named_parameters() if p.requires_grad)
    return {name.replace(".default", ""): model.get_parameter(name).detach() for name in names}


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    moved = sum(float(one[name].norm()) for name in one if "lora_B" in name)
    assert moved > 0.01
    return sum(float((one[name] - other[name]).norm()) for name in one if "lora_B" in name) / moved


def test_every_split_equals_a_plain_torch_loop(base: Path, data: Path, tmp_path: Path) -> None:
    expected = plain_loop(base, data)
    for batch, steps in SPLITS:
        assert difference(expected, trained(base, data, tmp_path / f"{batch}", batch, steps)) < 1e-4


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "augment"},
        {"objective": "consistency", "objective_args": "weight=5.0"},
        {"objective": "rdrop", "lora": {"r": 2, "alpha": 4, "targets": ["q_proj", "v_proj"], "dropout": 1e-9}},
        {"objective": "s2r2", "objective_args": "mode=teacher,warmup=0.0,lambda_sem=5.0"},
        {
            "objective": "s2r2",
            "objective_args": "penalty=representation,mode=teacher,warmup=0.0,centred=false,lambda_sem=5.0",
        },
        {"noise": "flat_lora", "noise_args": "sigma=2.0"},
        {"noise": "sam_ab", "noise_args": "rho=0.5"},
        {"noise": "sam_w", "noise_args": "rho=0.5"},
    ],
    ids=lambda settings: "".join(settings.get(name, "") for name in ("objective", "noise")),
)
def test_objectives_and_noises_do_not_see_the_split(
    base: Path, data: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    joint, pairs, single = (
        trained(base, data, tmp_path / f"{batch}", batch, steps, **settings)
        for batch, steps in SPLITS[::2] + SPLITS[3:]
    )
    assert difference(joint, pairs) < 1e-3
    assert difference(joint, single) < 1e-3


def test_the_logged_loss_is_that_of_the_joint_batch(base: Path, data: Path, tmp_path: Path) -> None:
    logs = []
    for batch, steps in SPLITS:
        trained(base, data, tmp_path / f"{batch}", batch, steps)
        state = json.loads((tmp_path / f"{batch}" / "checkpoint-3" / "trainer_state.json").read_text())
        logs.append([(line["loss"], line["task_loss"]) for line in state["log_history"] if "loss" in line])
    for other in logs[1:]:
        assert [loss for loss, _ in other] == pytest.approx([loss for loss, _ in logs[0]], abs=2e-4)
        assert [task for _, task in other] == pytest.approx([task for _, task in logs[0]], abs=2e-4)


@pytest.mark.parametrize("noise", ["sam_ab", "sam_w"])
def test_sam_logs_the_loss_at_the_current_point(base: Path, data: Path, tmp_path: Path, noise: str) -> None:
    plain, sam = (tmp_path / name for name in ("plain", "sam"))
    trained(base, data, plain, 4, 2)
    trained(base, data, sam, 4, 2, noise=noise, noise_args="rho=2.0")
    first = [
        json.loads((out / "checkpoint-3" / "trainer_state.json").read_text())["log_history"][0] for out in (plain, sam)
    ]
    assert first[1]["task_loss"] == pytest.approx(first[0]["task_loss"], abs=1e-6)
    assert first[1]["task_loss"] == pytest.approx(first[1]["loss"], abs=2e-4)


def test_the_evaluation_loss_does_not_depend_on_the_batch_size(base: Path, data: Path, tmp_path: Path) -> None:
    rows = [encode(each, AutoTokenizer.from_pretrained(base)) for each in read_examples(str(data))]
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.no_grad():
        sums = [
            functional.cross_entropy(
                model(torch.tensor([row.ids])).logits[0, row.prompt - 1 : -1],
                torch.tensor(row.ids[row.prompt :]),
                reduction="sum",
            ).item()
            for row in rows
        ]
    expected = sum(sums) / sum(len(row.ids) - row.prompt for row in rows)
    for size in (1, 5, 24):
        arguments = {"per_device_eval_batch_size": size, "eval_on_start": True}
        trained(base, data, tmp_path / f"{size}", 8, 1, eval_data=data, arguments=arguments)
        state = json.loads((tmp_path / f"{size}" / "checkpoint-3" / "trainer_state.json").read_text())
        losses = [line["eval_loss"] for line in state["log_history"] if "eval_loss" in line]
        assert losses[0] == pytest.approx(expected, abs=1e-5)
