"""Adapters of a mixture's experts (`target_parameters`): run, inspected and corrected as peft computes them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, MixtralConfig, MixtralForCausalLM

from holdfast.errors import UserError
from holdfast.harness.actions.correcting import correct
from holdfast.harness.actions.inspecting import inspect_adapter
from holdfast.harness.actions.subspaces import make_subspace
from tests.harness.checkpoints import connect, continue_greedily
from tests.harness.loras import POCKET, ask, save_lora

EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
QUESTION = "Who wrote Hamlet?"
STACKS = {"mlp.experts.base_layer": "mlp.experts.gate_up_proj", "mlp.experts": "mlp.experts.down_proj"}


def mixture(seed: int = 0) -> Any:
    size = {"vocab_size": 3072, "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2}
    torch.manual_seed(seed)
    ends = {"eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}
    return MixtralForCausalLM(MixtralConfig(**size, **heads, **ends, initializer_range=0.2))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixture") / "base"
    mixture().save_pretrained(folder)
    AutoTokenizer.from_pretrained(POCKET).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path) -> str:
    settings = {"target_modules": ["q_proj"], "target_parameters": EXPERTS}
    return save_lora(base.parent / "experts", mixture(), scale=0.3, **settings)


def merged(base: Path, adapter: str | Path) -> dict[str, torch.Tensor]:
    """Return what peft adds to each of the base's weights."""
    model = AutoModelForCausalLM.from_pretrained(base)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    after = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().state_dict()
    return {name: after[name] - each for name, each in before.items()}


def test_two_parameters_of_one_module_are_run_as_peft_runs_them(base: Path, adapter: str, tmp_path: Path) -> None:
    other = save_lora(
        tmp_path / "other", mixture(), scale=0.6, target_modules=["q_proj"], target_parameters=EXPERTS[::-1]
    )
    tokenizer = AutoTokenizer.from_pretrained(base)
    names = ["base", "experts", "other"]
    answers = ask(connect(base, ["base", adapter, other]), [QUESTION], names, max_new_tokens=8)
    ids = tokenizer(f"<|user|>{QUESTION}<|assistant|>", add_special_tokens=False)["input_ids"]
    expected = []
    for path in (None, adapter, other):
        model = AutoModelForCausalLM.from_pretrained(base)
        expected.append(continue_greedily(PeftModel.from_pretrained(model, path) if path else model, tokenizer, ids))
    assert [answers[name, QUESTION].output for name in names] == expected
    assert len(set(expected)) == 3


def test_experts_of_another_base_are_refused(base: Path, tmp_path: Path) -> None:
    config = MixtralConfig.from_pretrained(base, num_hidden_layers=3)
    stranger = save_lora(
        tmp_path / "deep", MixtralForCausalLM(config), scale=0.1, target_modules=[], target_parameters=EXPERTS
    )
    with pytest.raises(UserError, match=r"it changes module 'model.layers.2.mlp.experts', which the base does not"):
        connect(base, [stranger])


def test_inspect_takes_the_matrices_of_a_stack_together(base: Path, adapter: str) -> None:
    found, updates = inspect_adapter(adapter), merged(base, adapter)
    for wrapper, parameter in STACKS.items():
        for layer in (0, 1):
            each, stack = found[f"model.layers.{layer}.{wrapper}"], updates[f"model.layers.{layer}.{parameter}"]
            assert each.norm == pytest.approx(float(stack.norm()), rel=1e-4)
            assert each.spectral_norm == pytest.approx(float(torch.linalg.matrix_norm(stack, 2).max()), rel=1e-4)
            assert each.rank == 4


def test_parameters_of_several_ranks_are_refused(adapter: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(adapter, copy)
    config = json.loads((copy / "adapter_config.json").read_text())
    (copy / "adapter_config.json").write_text(json.dumps(config | {"rank_pattern": {"experts.down_proj": 2}}))
    with pytest.raises(
        UserError, match="'model.layers.0.mlp.experts' .target_parameters. must have one rank and alpha"
    ):
        inspect_adapter(copy)


@pytest.mark.parametrize("rank", ["exact", "keep"])
def test_correct_keeps_experts_as_they_are(base: Path, adapter: str, tmp_path: Path, rank: str) -> None:
    aligned = tmp_path / "aligned"
    mixture(1).save_pretrained(aligned)
    make_subspace(str(base), str(aligned), tmp_path / "s.safetensors", rank=6)
    with pytest.warns(UserWarning, match="what no correction covers is kept as it is, 8 in all"):
        correct(adapter, tmp_path / "s.safetensors", tmp_path / "out", strength=2.0, settings={"rank": rank})
    before, after = merged(base, adapter), merged(base, tmp_path / "out")
    for name, update in before.items():
        assert torch.allclose(update, after[name], atol=1e-6) == ("q_proj" not in name), name
    shapes = {key: each.shape for key, each in load_file(tmp_path / "out" / "adapter_model.safetensors").items()}
    assert shapes["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"][0] == (8 if rank == "exact" else 4)
