"""--lora takes any field of peft's LoraConfig, on the command line and in recipes, or says why not."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from peft import LoraConfig, get_peft_model
from peft.config import PeftConfig
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from holdfast.errors import UserError
from holdfast.harness.cli import main
from holdfast.training.library_fields import lora_config
from holdfast.training.lora_settings import check_lora, parse_lora
from tests.training.tiny_checkpoint import save_tiny_model

CASES: dict[str, dict[str, Any]] = {
    "r=4,targets=q_proj+v_proj,rank_pattern={q_proj: 2},alpha_pattern={v_proj: 3}": {
        "target_modules": ["q_proj", "v_proj"],
        "rank_pattern": {"q_proj": 2},
        "alpha_pattern": {"v_proj": 3},
    },
    '{"r": 4, "targets": ["q_proj"], "layers_to_transform": [1]}': {
        "target_modules": ["q_proj"],
        "layers_to_transform": [1],
    },
    "r=4,targets=q_proj,layers_to_transform=0+1,layers_pattern=layers": {
        "target_modules": ["q_proj"],
        "layers_to_transform": [0, 1],
        "layers_pattern": ["layers"],
    },
    "r=4,targets=.*layers[.]1.*q_proj": {"target_modules": ".*layers[.]1.*q_proj"},
    "r=4,targets=q_proj,target_parameters=mlp.up_proj.weight": {
        "target_modules": ["q_proj"],
        "target_parameters": ["mlp.up_proj.weight"],
    },
    "r=4,targets=all-linear,exclude_modules=up_proj+down_proj": {
        "target_modules": "all-linear",
        "exclude_modules": ["up_proj", "down_proj"],
    },
    "r=4,targets=q_proj,modules_to_save=lm_head": {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
    "r=4,targets=q_proj,trainable_token_indices=[5, 6]": {
        "target_modules": ["q_proj"],
        "trainable_token_indices": [5, 6],
    },
    "r=4,targets=q_proj,bias=lora_only,lora_bias=true": {
        "target_modules": ["q_proj"],
        "bias": "lora_only",
        "lora_bias": True,
    },
    "r=4,targets=q_proj,dropout=1e-2,rslora=true": {
        "target_modules": ["q_proj"],
        "lora_dropout": 0.01,
        "use_rslora": True,
    },
    "r=4,targets=q_proj,runtime_config={ephemeral_gpu_offload: false}": {"target_modules": ["q_proj"]},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model("llama", tmp_path_factory.mktemp("base"))


def trained(base: Path, folder: Path, *flags: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Return the saved configuration, and the shape of every tensor of the adapter."""
    folder.mkdir(exist_ok=True)
    (folder / "data.jsonl").write_text('{"prompt": "Where is the vase?", "completion": "In room 2."}\n')
    command = ["train", "--model_args", f"pretrained={base}", "--data", str(folder / "data.jsonl"), "--max_steps", "1"]
    assert main([*command, "--output_path", str(folder / "out"), "--disable_tqdm", *flags]) == 0
    config = json.loads((folder / "out" / "adapter_config.json").read_text())
    return config, {
        name: list(each.shape) for name, each in load_file(folder / "out" / "adapter_model.safetensors").items()
    }


@pytest.mark.parametrize("flag", CASES)
def test_flag_and_recipe_give_the_adapter_of_plain_peft(base: Path, tmp_path: Path, flag: str) -> None:
    config, shapes = trained(base, tmp_path / "flag", "--lora", flag)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"lora": parse_lora(flag)}))
    assert trained(base, tmp_path / "recipe", "--config", str(recipe)) == (config, shapes)
    plain = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, task_type="CAUSAL_LM", **CASES[flag])
    )
    plain.save_pretrained(tmp_path / "plain", save_embedding_layers=False)
    expected = load_file(tmp_path / "plain" / "adapter_model.safetensors")
    assert shapes == {name: list(each.shape) for name, each in expected.items()}
    saved = json.loads((tmp_path / "plain" / "adapter_config.json").read_text())
    for name in CASES[flag]:
        assert (
            sorted(config[name]) == sorted(saved[name])
            if isinstance(saved[name], list)
            else config[name] == saved[name]
        )


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("rank_pattern=4", "rank_pattern must be settings in braces, as in {q_proj: 4}, got 4"),
        ("layers_to_transform=q", r"layers_to_transform must be whole numbers, as in 0\+1 or \[0, 1\]"),
        ("r=4,rank_pattern={a", "can't read '{a': write"),
        ("bias=some", "bias must be none or all or lora_only, got 'some'"),
        ("r=4,alpha=8,lora_alpha=9", "lora_alpha is given twice"),
        ("init=eva", "init must be one that needs no preparation, not eva"),
        ("task_type=SEQ_CLS", "task_type can't be set: holdfast train sets it"),
        ("rank_patern={q: 1}", "unknown setting 'rank_patern', .*; did you mean 'rank_pattern'"),
        ("r", "--lora: expected name=value, got 'r'"),
        ("use_dora=1", "use_dora must be true or false, got 1"),
        ("modules_to_save={a: 1}", "modules_to_save must be names, as in"),
        ("r=8,r=16", "--lora: r is given twice"),
        ("{r: 8, r: 16}", "--lora: r is given twice"),
        ("rank_pattern={q_proj: 2, q_proj: 4}", "--lora: q_proj is given twice"),
        ("rank_pattern={q: x}", "rank_pattern: q must be a whole number >= 1, got 'x'"),
        ("rank_pattern={q: 1.5}", "rank_pattern: q must be a whole number >= 1, got 1.5"),
        ("alpha_pattern={q: -1}", "alpha_pattern: q must be a number > 0, got -1"),
        ("layer_replication=[[0, 2], [1, 2]]", "layer_replication can't be set: run and inspect can't use an adapter"),
        ("qalora_group_size=1.5", "qalora_group_size must be a whole number >= 1, got 1.5"),
    ],
)
def test_a_wrong_setting_is_named(flag: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_lora(parse_lora(flag))


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("targets=q_proj,rank_pattern={k_proj: 2}", "rank_pattern: no adapted module matches 'k_proj'"),
        ("targets=q_proj,target_parameters=mlp.nope", "the model has no parameter 'mlp.nope' to adapt; it has: "),
        ("targets=(q", "--lora: the pattern '(q' is not valid: missing ), unterminated subpattern"),
        ("targets=q_proj,rank_pattern={'(': 4}", "is not valid: missing ), unterminated subpattern"),
        (
            "targets=q_proj,runtime_config={foo: 1}",
            "--lora: LoraRuntimeConfig.__init__() got an unexpected keyword argument 'foo'",
        ),
    ],
)
def test_a_setting_that_does_not_fit_the_model_is_named(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, message: str
) -> None:
    with pytest.raises(AssertionError):
        trained(base, tmp_path / "out", "--lora", flag)
    assert message in capsys.readouterr().err


def test_whole_numbers_may_be_written_as_floats() -> None:
    found = check_lora(parse_lora("r=1e1,rank_pattern={q_proj: 4.0}"))
    assert repr(found) == "{'r': 10, 'rank_pattern': {'q_proj': 4}}"


def test_saved_lists_of_modules_are_in_a_fixed_order(base: Path, tmp_path: Path) -> None:
    config, _ = trained(base, tmp_path, "--lora", "r=2,targets=all-linear,exclude_modules=up_proj+k_proj")
    assert config["exclude_modules"] == ["k_proj", "up_proj"]
    assert config["target_modules"] == sorted(config["target_modules"])
    assert len(config["target_modules"]) == 14


def test_the_fields_read_from_source_are_those_of_the_class() -> None:
    own = {field.name for field in dataclasses.fields(LoraConfig)} - {f.name for f in dataclasses.fields(PeftConfig)}
    assert lora_config().keys() == own
