"""Greedy decoding is greedy, whatever a checkpoint's generation_config says; broken logits are refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from holdfast.errors import UserError
from tests.harness.checkpoints import connect, copy_pocket, greedy
from tests.harness.loras import POCKET, ask

QUESTION = "Summarise: Anna asked Ben about the train to Lyon. It leaves at ten."
FIRST = 554  # a token of the vocabulary

LEAKS: list[dict[str, Any]] = [
    {"return_dict_in_generate": True, "output_scores": True},
    {"stop_strings": ["a"]},
    {"prompt_lookup_num_tokens": 3},
    {"penalty_alpha": 0.6, "top_k": 4},
    {"token_healing": True},
    {"bad_words_ids": [[i] for i in range(300, 3000)]},
    {"guidance_scale": 3.0},
    {"sequence_bias": [[[FIRST], 30.0]]},
    {"exponential_decay_length_penalty": [1, 1.9]},
    {"begin_suppress_tokens": list(range(200, 3000))},
    {"suppress_tokens": list(range(200, 3000))},
    {"forced_eos_token_id": 1},
    {"forced_bos_token_id": FIRST},
    {"max_time": 1e-9},
    {"min_length": 60},
    {"repetition_penalty": 3.0, "no_repeat_ngram_size": 1},
    {"do_sample": True, "temperature": 9.0, "num_beams": 3, "num_return_sequences": 2},
    {"watermarking_config": {"bias": 20.0, "seeding_scheme": "selfhash"}},
]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: next(iter(leak)))
def test_nothing_but_special_tokens_is_taken_from_the_checkpoint(tmp_path: Path, leak: dict[str, Any]) -> None:
    backend = connect(copy_pocket(tmp_path / "base", generation=leak))
    answers = ask(backend, [QUESTION], ["base"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(f"<|user|>{QUESTION}<|assistant|>", POCKET)
    assert leak.keys() <= backend.describe()["ignored_generation_config"].keys()


def test_turn_ends_listed_only_in_the_generation_config_end_an_answer(tmp_path: Path) -> None:
    whole = greedy(f"<|user|>{QUESTION}<|assistant|>", POCKET)
    second = AutoTokenizer.from_pretrained(POCKET)(whole)["input_ids"][1]
    base = copy_pocket(tmp_path / "base", generation={"eos_token_id": [1, second]})
    answer = ask(connect(base), [QUESTION], ["base"], max_new_tokens=8)["base", QUESTION]
    assert whole.startswith(answer.output)
    assert answer.tokens == 1
    assert answer.finish == "stop"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_base_with_a_broken_weight_is_refused_by_name(tmp_path: Path, value: float) -> None:
    base = copy_pocket(tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    name = next(name for name in weights if "down_proj" in name)
    weights[name][0, 0] = value
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=f"the base '.*' is broken: its weight '{name}' contains NaN or infinity"):
        connect(base)


def test_a_base_whose_logits_overflow_is_refused(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base")
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], 3e38)
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="the base gives NaN or infinite logits in float32: use another dtype"):
        connect(base)


def test_a_prompt_whose_logits_overflow_is_named(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), tie_word_embeddings=False, **sizes))
    rare = tokenizer("#", add_special_tokens=False)["input_ids"][-1]
    model.transformer.wte.weight.data[rare] = 3e38 * (-1.0) ** torch.arange(32)
    model.save_pretrained(tmp_path)
    backend = connect(tmp_path, size=2, chat_template="none")
    with pytest.raises(UserError, match="'base' gives NaN or infinite logits for a prompt that begins 'Number # one'"):
        ask(backend, ["Number one", "Number # one"], ["base"], max_new_tokens=4)
