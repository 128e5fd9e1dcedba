"""Bases read from a GGUF file and bases in 4 bits, for training and for runs."""

import importlib.util
import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from holdfast.errors import UserError
from holdfast.harness.actions.training import make_recipe_of, train_adapter
from holdfast.harness.cli import main
from holdfast.training.pocket.shipped import resolve
from holdfast.training.weight_format import gguf_options, weight_options
from tests.training.test_train import QUICK, ROWS, write_rows

HAS_BITSANDBYTES = importlib.util.find_spec("bitsandbytes") is not None


@pytest.fixture
def gguf_model(tmp_path: Path) -> Path:
    """pocket-base as a GGUF file of float32 weights, with the words of its tokenizer."""
    gguf = pytest.importorskip("gguf")
    model = AutoModelForCausalLM.from_pretrained(resolve("pocket-base"), dtype="float32")
    tokenizer, config = AutoTokenizer.from_pretrained(resolve("pocket-base")), model.config
    folder = tmp_path / "model"
    folder.mkdir()
    writer = gguf.GGUFWriter(folder / "pocket.gguf", "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([1] * len(words))
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weights in model.state_dict().items():
        if name != "lm_head.weight":
            writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), weights.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def test_a_gguf_file_is_trained_and_evaluated(gguf_model: Path, tmp_path: Path) -> None:
    model = f"pretrained={gguf_model},gguf_file=pocket.gguf"
    data, out = write_rows(tmp_path / "train.jsonl", ROWS), tmp_path / "out"
    settings = {**QUICK, "model": model, "data": str(data), "output_dir": str(out), "max_steps": 2}
    train_adapter(make_recipe_of(settings, {}, []))
    assert (out / "adapter_model.safetensors").is_file()
    assert json.loads((out / "training_card.json").read_text())["recipe"]["model_args"]["gguf_file"] == "pocket.gguf"
    run = ["run", "--model_args", model, "--adapters", f"base,{out}", "--tasks", "factual_qa", "--limit", "1"]
    options = ["--perturbations", "typos", "--severity", "light", "--encoder", "lexical"]
    assert main([*run, *options, "--output_path", str(tmp_path / "run")]) == 0


def test_a_missing_gguf_file_is_named_with_those_there(gguf_model: Path) -> None:
    with pytest.raises(UserError, match=r"no gguf_file 'other.gguf' in .*; GGUF files there: pocket.gguf"):
        gguf_options(gguf_model, {"gguf_file": "other.gguf"})


def test_ordinary_checkpoints_need_no_options(tmp_path: Path) -> None:
    assert weight_options(tmp_path, {"pretrained": "x"}, "float32") == {}
    assert weight_options(tmp_path, {"load_in_4bit": False}, "float32") == {}


def test_four_bits_are_on_or_off(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="load_in_4bit must be true or false, got '4'"):
        weight_options(tmp_path, {"load_in_4bit": 4}, "float32")


@pytest.mark.skipif(HAS_BITSANDBYTES, reason="bitsandbytes is installed")
@pytest.mark.parametrize("command", ["train", "run"])
def test_four_bits_without_bitsandbytes_are_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {
        "train": ["--data", str(write_rows(tmp_path / "train.jsonl", ROWS))],
        "run": ["--tasks", "factual_qa", "--limit", "1", "--encoder", "lexical"],
    }[command]
    model = ["--model_args", "pretrained=pocket-base,load_in_4bit=true", "--output_path", str(tmp_path / "out")]
    assert main([command, *words, *model]) == 1
    assert "load_in_4bit needs the library bitsandbytes: pip install bitsandbytes" in capsys.readouterr().err


@pytest.mark.skipif(not HAS_BITSANDBYTES, reason="needs bitsandbytes")
def test_an_adapter_is_trained_on_a_base_in_four_bits(tmp_path: Path) -> None:
    model, out = "pretrained=pocket-base,load_in_4bit=true", tmp_path / "out"
    data = write_rows(tmp_path / "train.jsonl", ROWS)
    settings = {**QUICK, "model": model, "data": str(data), "output_dir": str(out), "max_steps": 2}
    train_adapter(make_recipe_of(settings, {}, []))
    assert (out / "adapter_model.safetensors").is_file()
    with pytest.raises(UserError, match="weights in 4 bits can't be trained"):
        train_adapter(make_recipe_of({**settings, "full": True, "output_dir": str(tmp_path / "full")}, {}, []))
