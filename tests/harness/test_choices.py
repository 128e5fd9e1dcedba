"""Multiple choice: the answer is the choice with the highest log-likelihood, equal to a slow, obvious reference."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, T5Config, T5ForConditionalGeneration

from holdfast import evaluate
from holdfast.errors import UserError
from holdfast.harness.backends import Generation, Request, Settings, backends
from holdfast.harness.backends.backend import Backend, BackendOptions
from holdfast.harness.backends.engines.choices import common_prefix_length
from holdfast.harness.models.checkpoints import find_adapters, find_base
from tests.harness.loras import BASE, POCKET, pocket, save_two

ASKED = {
    "What is the capital of France?": ("Paris.", "London.", "a much longer answer, about Rome"),
    "Who wrote Hamlet?": ("William Shakespeare.", "Paris."),
    "": ("yes", "no", "भारत"),
}


def connect(pretrained: str, adapters: str = "base", size: int = 3, **model_args: Any) -> Backend:
    base = BASE if pretrained == str(POCKET) else find_base(pretrained)
    options = BackendOptions({"pretrained": pretrained, "dtype": "float32", **model_args}, size, "cpu")
    return backends.get("hf").build(options, find_adapters(adapters.split(","), base))


def choose(backend: Backend, *adapters: str) -> dict[tuple[str, str], Generation]:
    requests = [
        Request(f"{name}|{prompt}", name, prompt, Settings(), 0, choices)
        for name in adapters
        for prompt, choices in ASKED.items()
    ]
    answers = {answer.key: answer for batch in backend.generate(requests) for answer in batch}
    return {(r.adapter, r.prompt): answers[r.key] for r in requests}


def log_likelihood(logits: torch.Tensor, ids: list[int]) -> float:
    """Return sum_t log p(id_t); `logits` is (t, vocabulary), each row predicting the token of the same index."""
    return sum(float(row.log_softmax(0)[token]) for row, token in zip(logits, ids, strict=True))


def choice_likelihood(model: Any, tokenizer: Any, prompt: str, choice: str) -> float:
    """Return the log-likelihood of one choice after one prompt, without padding or batching."""
    context, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + choice)["input_ids"]
    assert whole[: len(context)] == context
    own = whole[len(context) :]
    context = context or [tokenizer.pad_token_id]  # the pocket tokenizer has no start token
    logits = model(torch.tensor([context + own])).logits[0]
    return log_likelihood(logits[len(context) - 1 : -1], own)


@torch.no_grad()
@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_answer_is_the_likeliest_choice_for_each_adapter(tmp_path: Path, size: int) -> None:
    first, _ = save_two(tmp_path)
    answers = choose(connect(str(POCKET), f"base,{first}", size), "base", "first")
    model, tokenizer = pocket(), AutoTokenizer.from_pretrained(POCKET)
    for name, judge in (("base", model), ("first", PeftModel.from_pretrained(pocket(), first))):
        for prompt, choices in ASKED.items():
            messages = [{"role": "user", "content": prompt}]
            rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            expected = [choice_likelihood(judge, tokenizer, rendered, choice) for choice in choices]
            answer = answers[name, prompt]
            assert answer.likelihoods == pytest.approx(expected, abs=1e-3)
            assert answer.output == choices[expected.index(max(expected))]
            assert answer.finish == "choice"


@torch.no_grad()
def test_padding_does_not_shift_learned_positions(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128))
    model.eval().save_pretrained(tmp_path)
    answers = choose(connect(str(tmp_path), chat_template="none"), "base")
    for prompt, choices in ASKED.items():
        space = " " if prompt else ""
        expected = [choice_likelihood(model, tokenizer, prompt, f"{space}{choice}") for choice in choices]
        assert answers["base", prompt].likelihoods == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_an_encoder_decoder_ranks_choices_too(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    sizes = {"d_model": 32, "d_ff": 64, "d_kv": 8, "num_layers": 2, "num_heads": 4, "vocab_size": len(tokenizer)}
    model = T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=3, eos_token_id=1, pad_token_id=0))
    model.eval().save_pretrained(tmp_path)
    answers = choose(connect(str(tmp_path), chat_template="none"), "base")
    for prompt, choices in list(ASKED.items())[:2]:
        expected = []
        for choice in choices:
            own = tokenizer(choice, add_special_tokens=False)["input_ids"]
            inputs = torch.tensor([tokenizer(prompt)["input_ids"]])
            logits = model(input_ids=inputs, decoder_input_ids=torch.tensor([[3, *own]])).logits[0, :-1]
            expected.append(log_likelihood(logits, own))
        assert answers["base", prompt].likelihoods == pytest.approx(expected, abs=1e-4)
    long = Request("long", "base", "word " * 600, Settings(), 0, ("yes", "no"))
    [[cut]] = connect(str(tmp_path), chat_template="none", max_length=64).generate([long])
    assert cut.truncated


def test_a_long_prompt_is_truncated_but_a_long_choice_is_an_error() -> None:
    backend = connect(str(POCKET), max_length=64)
    long = Request("long", "base", "word " * 200, Settings(), 0, ("yes", "no"))
    short = Request("short", "base", "word", Settings(), 0, ("yes", "no"))
    cut = {answer.key: answer.truncated for batch in backend.generate([long, short]) for answer in batch}
    assert cut == {"long": True, "short": False}
    with pytest.raises(UserError, match="a choice is longer than the model's context of 64 tokens"):
        list(backend.generate([Request("x", "base", "word", Settings(), 0, ("yes " * 200, "no"))]))


def test_the_common_prefix_ends_where_any_choice_departs() -> None:
    assert common_prefix_length([1, 2, 3], [[1, 2, 3, 4], [1, 2, 3, 5, 6]]) == 3
    assert common_prefix_length([1, 2, 3], [[1, 2, 9], [1, 2, 3, 5]]) == 2
    assert common_prefix_length([1, 2], [[1, 2]]) == 1
    assert common_prefix_length([], [[7], [8]]) == 0


def test_a_task_file_with_choices_is_scored_like_any_other(tmp_path: Path) -> None:
    lines = [
        {"id": i, "content": prompt, "references": choices[0], "choices": choices}
        for i, (prompt, choices) in enumerate(ASKED.items())
        if prompt
    ]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    settings: dict[str, Any] = {
        "tasks": str(file),
        "model_args": {"pretrained": "pocket-aligned"},
        "perturbations": ["typos"],
        "severity": ["heavy"],
        "encoder": "lexical",
        "output_path": str(tmp_path / "run"),
    }
    results = evaluate(**settings)
    stored = [json.loads(line) for line in (tmp_path / "run/samples.jsonl").read_text("utf-8").splitlines()]
    for line in stored:
        choices = lines[int(line["sample"])]["choices"]
        assert line["output"] in choices
        assert line["likelihoods"][choices.index(line["output"])] == max(line["likelihoods"])
        assert line["finish"] == "choice"
    clean = [line["scores"]["exact_match"] for line in stored if line["perturbation"] == "clean"]
    assert results.breakdown["clean"].iloc[0] == pytest.approx(sum(clean) / len(clean))
