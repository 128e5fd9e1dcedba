"""Adapters are loaded completely or refused in one line, and the base stays as it is."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import IA3Config, LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, MixtralConfig

from holdfast.errors import UserError
from holdfast.harness.actions.inspecting import inspect_adapter
from tests.harness.checkpoints import connect, continue_greedily, greedy
from tests.harness.loras import POCKET, ask, pocket, save_lora

QUESTION = "Summarise: Anna asked Ben about the train to Lyon. It leaves at ten."
RENDERED = f"<|user|>{QUESTION}<|assistant|>"
WEIGHTS = "adapter_model.safetensors"


def test_an_adapter_with_added_tokens_brings_its_tokenizer_and_embeddings(tmp_path: Path) -> None:
    model, tokenizer = pocket(), AutoTokenizer.from_pretrained(POCKET)
    tokenizer.add_tokens(["<tool>", "<call>"])
    torch.manual_seed(3)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    embeddings = {"modules_to_save": ["embed_tokens", "lm_head"]}
    path = save_lora(tmp_path / "added", model, scale=0.3, **embeddings)
    tokenizer.save_pretrained(path)
    prompt = "Use <tool> for: " + QUESTION

    by_hand = PeftModel.from_pretrained(_resized(len(tokenizer)), path)
    ids = tokenizer(f"<|user|>{prompt}<|assistant|>", add_special_tokens=False)["input_ids"]
    with pytest.warns(UserWarning, match="adapter 'added' brings its own tokenizer, used for its prompts"):
        backend = connect(POCKET, ["base", path])
    answers = ask(backend, [prompt, QUESTION], ["added"], max_new_tokens=8)
    assert answers["added", prompt].output == continue_greedily(by_hand, tokenizer, ids)
    base = ask(backend, [QUESTION], ["base"], max_new_tokens=8)
    assert base["base", QUESTION].output == greedy(RENDERED, POCKET)
    assert backend.describe()["own_tokenizers"] == ["added"]


def _resized(rows: int) -> Any:
    model = pocket()
    model.resize_token_embeddings(rows, mean_resizing=False)
    return model


def test_an_adapters_own_chat_template_is_used_unless_the_bases_is_asked_for(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "polite", pocket(), scale=0.3)
    (tmp_path / "polite" / "chat_template.jinja").write_text("<|user|>Please: {{ messages[0].content }}<|assistant|>")
    with pytest.warns(UserWarning, match="adapter 'polite' brings its own chat template"):
        own = ask(connect(POCKET, [path]), [QUESTION], ["polite"], max_new_tokens=8)
    assert own["polite", QUESTION].output == greedy(f"<|user|>Please: {QUESTION}<|assistant|>", POCKET, path)
    plain = save_lora(tmp_path / "plain", pocket(), scale=0.6)
    mixed = ask(
        connect(POCKET, ["base", plain, path], size=3), [QUESTION], ["base", "plain", "polite"], max_new_tokens=8
    )
    assert mixed["polite", QUESTION].output == own["polite", QUESTION].output
    assert mixed["plain", QUESTION].output == greedy(RENDERED, POCKET, plain)
    assert mixed["base", QUESTION].output == greedy(RENDERED, POCKET)
    bases = ask(connect(POCKET, [path], tokenizer="base"), [QUESTION], ["polite"], max_new_tokens=8)
    assert bases["polite", QUESTION].output == greedy(RENDERED, POCKET, path)


def test_an_adapters_own_end_token_ends_its_answers(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "ends", pocket(), scale=0.3)
    whole = greedy(RENDERED, POCKET, path)
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    spelled = tokenizer(whole, add_special_tokens=False)["input_ids"]
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(spelled[2])
    tokenizer.save_pretrained(path)
    plain = save_lora(tmp_path / "plain", pocket(), scale=0.3)
    answers = ask(connect(POCKET, ["base", path, plain]), [QUESTION], ["ends", "plain", "base"], max_new_tokens=8)
    assert answers["ends", QUESTION].output == tokenizer.decode(spelled[:2]).strip()
    assert (answers["ends", QUESTION].tokens, answers["ends", QUESTION].finish) == (2, "stop")
    assert answers["plain", QUESTION].output == whole
    assert answers["base", QUESTION].output == greedy(RENDERED, POCKET)


def test_an_adapter_with_fewer_tokens_than_the_base_keeps_its_own_rows(tmp_path: Path) -> None:
    model = pocket()
    model.resize_token_embeddings(3000)
    path = save_lora(tmp_path / "fewer", model, scale=0.3, modules_to_save=["embed_tokens", "lm_head"])
    backend = connect(POCKET, ["base", path])
    assert backend.probe([QUESTION])["fewer"]
    assert ask(backend, [QUESTION], ["base"], max_new_tokens=8)["base", QUESTION].output == greedy(RENDERED, POCKET)


def test_a_saved_copy_of_the_bases_embeddings_does_not_replace_them(tmp_path: Path) -> None:
    plain = save_lora(tmp_path / "plain", pocket(), scale=0.3)
    path = save_lora(tmp_path / "carries", pocket(), scale=0.3)
    weights = load_file(tmp_path / "carries" / WEIGHTS)
    embeddings = pocket().get_input_embeddings().weight.detach()
    weights["base_model.model.model.embed_tokens.weight"] = embeddings.flip(0).contiguous()
    save_file(weights, tmp_path / "carries" / WEIGHTS, {"format": "pt"})
    backend = connect(POCKET, ["base", path, plain])
    answers = ask(backend, [QUESTION], ["base", "carries", "plain"], max_new_tokens=8)
    assert answers["base", QUESTION].output == greedy(RENDERED, POCKET)
    assert answers["plain", QUESTION].output == greedy(RENDERED, POCKET, plain)
    changed = pocket()
    changed.get_input_embeddings().weight = torch.nn.Parameter(embeddings.flip(0).contiguous())
    with_lora = PeftModel.from_pretrained(changed, plain)
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    ids = tokenizer(RENDERED, add_special_tokens=False)["input_ids"]
    assert answers["carries", QUESTION].output == continue_greedily(with_lora, tokenizer, ids)


@pytest.mark.parametrize("start", ["pissa", "olora", "corda", "loftq", "lora_ga", "pissa_niter_4"])
def test_an_adapter_whose_start_changed_the_base_is_refused(tmp_path: Path, start: str) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    _edit(tmp_path / "lora", init_lora_weights=start)
    wanted = f"was initialised with init_lora_weights='{start}', which changes the base: convert it"
    assert all(wanted in line for line in _refusals(path))


def test_prompt_tuning_is_refused(tmp_path: Path) -> None:
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    get_peft_model(pocket(), config).save_pretrained(tmp_path / "prompt")
    with pytest.raises(UserError, match="is a PROMPT_TUNING adapter, which does not change the model's weights"):
        connect(POCKET, [str(tmp_path / "prompt")])


def _empty(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    name = next(iter(weights))
    return weights | {name: torch.zeros(0)}


def _doubled(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"base_model.model.{name}": weight for name, weight in weights.items()}


def _named(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace(".weight", ".default.weight"): weight for name, weight in weights.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_empty, "the weights of 'model.layers.0.self_attn.q_proj' are empty: gather them before saving"),
        (_doubled, "with a doubled prefix, so none would be loaded"),
        (_named, r"still contain the adapter's name \('default' in "),
    ],
)
def test_weights_that_peft_would_leave_out_are_refused(
    tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], message: str
) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    save_file(change(load_file(tmp_path / "lora" / WEIGHTS)), tmp_path / "lora" / WEIGHTS, {"format": "pt"})
    assert all(re.search(message, line) for line in _refusals(path))


def test_a_configuration_that_names_fewer_modules_than_there_are_weights_is_refused(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    _edit(tmp_path / "lora", target_modules=["q_proj"])
    total = len(load_file(tmp_path / "lora" / WEIGHTS))
    lost = rf"{total // 2} of the {total} weights of adapter '.*' \({total // 4} modules, such as '.*v_proj'\)"
    assert all(re.search(lost, line) for line in _refusals(path))


def test_a_weight_for_which_the_base_has_no_place_is_refused(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    weights = load_file(tmp_path / "lora" / WEIGHTS)
    weights["base_model.model.model.layers.0.self_attn.q_proj.lora_C.weight"] = torch.ones(2, 2)
    save_file(weights, tmp_path / "lora" / WEIGHTS, {"format": "pt"})
    with pytest.raises(UserError, match="1 of the .* weights of adapter 'lora' .* would not be loaded"):
        connect(POCKET, [path])


@pytest.mark.parametrize("setting", ["lora_alpha", "r"])
def test_a_configuration_without_rank_or_alpha_is_refused(tmp_path: Path, setting: str) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    _edit(tmp_path / "lora", **{setting: None})
    assert all(f"has no {setting} in its adapter_config.json" in line for line in _refusals(path))


def test_modules_that_transformers_has_renamed_are_converted(tmp_path: Path) -> None:
    config = MixtralConfig(
        vocab_size=3072, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=2, max_position_embeddings=128,
    )  # fmt: skip
    torch.manual_seed(0)
    base = tmp_path / "base"
    AutoModelForCausalLM.from_config(config).save_pretrained(base)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(POCKET / name, base)
    folder = tmp_path / "old"
    folder.mkdir()
    generator = torch.Generator().manual_seed(1)
    stem = "base_model.model.model.layers.0.block_sparse_moe.experts"
    shapes = {"w1": (32, 48), "w2": (48, 32), "w3": (32, 48)}
    weights = {
        f"{stem}.{expert}.{name}.lora_{part}.weight": torch.randn(size, generator=generator)
        for expert in range(2)
        for name, (inputs, outputs) in shapes.items()
        for part, size in (("A", (2, inputs)), ("B", (outputs, 2)))
    }
    save_file(weights, folder / WEIGHTS, {"format": "pt"})
    settings = LoraConfig(r=2, lora_alpha=8, target_modules=["w1", "w2", "w3"], task_type="CAUSAL_LM")
    settings.save_pretrained(folder)
    backend = connect(base, ["base", str(folder)])
    assert backend.probe([QUESTION])["old"]
    answers = ask(backend, [QUESTION], ["old"], max_new_tokens=8)
    assert answers["old", QUESTION].output == greedy(RENDERED, base, str(folder))


def test_hidden_states_and_probes_do_not_depend_on_the_other_rows(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=3072, n_positions=256, n_embd=32, n_layer=2, n_head=4)
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(tmp_path / "gpt2")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(POCKET / name, tmp_path / "gpt2")
    backend: Any = connect(tmp_path / "gpt2", size=4)
    alone, longer = "Short answer.", "A much longer answer, with many more words than the other one has."
    together = backend.embed([alone, longer])
    np.testing.assert_allclose(together[0], backend.embed([alone])[0], atol=1e-6)
    ids = AutoTokenizer.from_pretrained(POCKET)(alone, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        expected = model.transformer(ids).last_hidden_state[0].mean(0)
    np.testing.assert_allclose(together[0], expected, atol=1e-5)


def test_an_adapter_that_changes_the_bases_own_biases_is_refused(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    tokenizer.save_pretrained(tmp_path / "base")
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128))
    model.save_pretrained(tmp_path / "base")
    tuned = get_peft_model(model, LoraConfig(target_modules=["c_attn"], bias="all", r=4))
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if name.endswith("bias"):
                weight.add_(0.5)
    tuned.save_pretrained(tmp_path / "lora")
    with pytest.raises(UserError, match="loading adapter 'lora' changes the base itself .* merged into the base"):
        connect(tmp_path / "base", [str(tmp_path / "lora")])


def test_adapters_that_peft_cannot_combine_are_sent_to_runs_of_their_own(tmp_path: Path) -> None:
    first = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    other = get_peft_model(pocket(), IA3Config(target_modules=["q_proj"], feedforward_modules=[]))
    other.save_pretrained(tmp_path / "ia3")
    with pytest.raises(UserError, match="can't load adapter 'ia3' on this base: .*; if it loads alone, evaluate it in"):
        connect(POCKET, [first, str(tmp_path / "ia3")])


def test_a_type_that_peft_does_not_know_is_named(tmp_path: Path) -> None:
    path = save_lora(tmp_path / "lora", pocket(), scale=0.3)
    _edit(Path(path), peft_type="LATER")
    with pytest.raises(
        UserError, match="this version of peft has no adapters of the type 'LATER', .*: correct it, or upgrade"
    ):
        connect(POCKET, [path])


def _edit(folder: Path, **changes: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _refusals(path: str) -> list[str]:
    """The messages with which a run refuses an adapter, and `inspect`, which reads adapters like `correct`."""
    found = []
    for read in (lambda: connect(POCKET, [path]), lambda: inspect_adapter(path)):
        with pytest.raises(UserError) as raised:
            read()
        found.append(str(raised.value))
    return found
