"""Special tokens frame a prompt, they never end it; and what is too long loses content, not its frame."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from holdfast.errors import UserError
from holdfast.harness.backends import Request, Settings
from holdfast.harness.backends.engines.prompting import Prompt, Prompting
from holdfast.harness.backends.engines.truncation import removable
from holdfast.training.chat_template import find_template
from holdfast.training.examples import Example, encode
from tests.harness.checkpoints import connect, copy_pocket, greedy
from tests.harness.loras import POCKET, ask

QUESTION = "Who wrote Hamlet?"
LONG = "Anna asked Ben about the train. " * 40 + "When does it leave?"


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_pocket(tmp_path_factory.mktemp("ending") / "base", ends=True)


def test_a_causal_prompt_never_ends_with_the_end_token(ending: Path) -> None:
    assert AutoTokenizer.from_pretrained(ending)(QUESTION)["input_ids"][-1] == 1
    assert ask(connect(ending), [QUESTION], ["base"], max_new_tokens=8)["base", QUESTION].output == greedy(
        QUESTION, POCKET
    )


def test_a_choice_never_ends_with_the_end_token(ending: Path) -> None:
    request = Request("1", "base", QUESTION, Settings(), 0, ("Shakespeare", "Goethe"))
    [[with_ends]] = list(connect(ending).generate([request]))
    [[without]] = list(connect(POCKET, chat_template="none").generate([request]))
    np.testing.assert_allclose(with_ends.likelihoods, without.likelihoods, rtol=1e-5)


def test_a_seq2seq_prompt_keeps_its_end_token_also_when_cut(ending: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ending)
    prompting = Prompting(tokenizer, None, 24, seq2seq=True)
    [cut], [truncated] = prompting.encode([Prompt(LONG, LONG)], 0)
    assert truncated
    assert cut.tolist() == tokenizer(LONG, truncation=True, max_length=24)["input_ids"]


def test_a_causal_prompt_loses_the_beginning_of_its_content_and_keeps_its_frame() -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    template = find_template(tokenizer, owner="the model")
    prompting = Prompting(tokenizer, template, 60)
    prompt = f"Read this.\n{LONG}\nAnswer briefly."
    [cut], [truncated] = prompting.encode([Prompt(prompt, LONG)], 20)
    text = tokenizer.decode(cut)
    assert truncated
    assert len(cut) == 40
    assert text.startswith("<|user|>Read this.\n")
    assert text.endswith("When does it leave?\nAnswer briefly.<|assistant|>")


def test_without_a_known_content_the_beginning_of_the_users_text_is_cut() -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    prompting = Prompting(tokenizer, find_template(tokenizer, owner="the model"), 50)
    [cut], _ = prompting.encode([Prompt(LONG)], 20)
    text = tokenizer.decode(cut)
    assert text.startswith("<|user|>")
    assert text.endswith("When does it leave?<|assistant|>")
    assert len(cut) == 30


def test_a_frame_that_does_not_fit_is_refused() -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    prompting = Prompting(tokenizer, find_template(tokenizer, owner="the model"), 21)
    with pytest.raises(UserError, match="frame of a prompt is longer than the model's context of 21 tokens"):
        prompting.encode([Prompt(LONG)], 20)


@torch.no_grad()
@pytest.mark.parametrize(
    ("template", "before", "after"),
    [("auto", "<|user|>Read: ", "\nIn short.<|assistant|>"), ("none", "Read: ", "\nAnswer: ")],
)
def test_choices_after_a_long_prompt_keep_its_frame(template: str, before: str, after: str) -> None:
    choices = ("yes", "no, never")
    prompt = f"Read: {LONG}{after.removesuffix('<|assistant|>')}"
    long = Request("1", "base", prompt, Settings(), 0, choices, LONG)
    [[answer]] = list(connect(POCKET, max_length=50, chat_template=template).generate([long]))
    assert answer.truncated

    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    model = AutoModelForCausalLM.from_pretrained(POCKET, dtype=torch.float32)
    begin, *rows = tokenizer([before, *(f"{before}{LONG}{after}{choice}" for choice in choices)])["input_ids"]
    [context] = tokenizer([f"{before}{LONG}{after}"])["input_ids"]
    departs = (i for i, tokens in enumerate(zip(context, *rows, strict=False)) if len(set(tokens)) > 1)
    start = next(departs, len(context))
    excess = max(map(len, rows)) + 1 - 50
    for row, found in zip(rows, answer.likelihoods, strict=True):
        kept = row[: len(begin)] + row[len(begin) + excess :]
        logits = model(torch.tensor([kept])).logits[0].log_softmax(-1)
        own = range(start - excess, len(kept))
        assert found == pytest.approx(sum(float(logits[i - 1, kept[i]]) for i in own), abs=1e-3)


def test_a_token_without_an_embedding_is_refused_only_if_a_prompt_uses_it(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens(["<tool>"])
    tokenizer.save_pretrained(base)
    backend = connect(base)
    assert ask(backend, [QUESTION], ["base"], max_new_tokens=8)["base", QUESTION].output == greedy(
        f"<|user|>{QUESTION}<|assistant|>", POCKET
    )
    with pytest.raises(UserError, match=r"contains the token '<tool>' \(3072\), but the model embeds only 3072"):
        ask(backend, ["Use the <tool> now"], ["base"])


@given(
    st.lists(st.integers(0, 3), max_size=4),
    st.lists(st.integers(4, 9), max_size=12),
    st.lists(st.integers(0, 3), max_size=4),
    st.integers(1, 12),
)
def test_only_content_is_removed(before: list[int], content: list[int], after: list[int], excess: int) -> None:
    whole, frame = before + content + after, [*before, 99, *after]
    found = removable(whole, iter([frame]), excess)
    assert (found is None) == (len(content) <= excess)
    if found:
        assert found == (len(before), len(before) + len(content))


def framed(single: str, letters: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer that knows only these letters, and adds what `single` says around a text."""
    marks = {"<s>": 0, "</s>": 1, "<user>": 2, "<assistant>": 3}
    vocabulary = {letter: i for i, letter in enumerate([*marks, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[*marks.items()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize(("letters", "text"), [("abc ", "a cab"), ("भारतक ", "भारत"), ("ไทย", "ไทย"), ("北京", "北")])
def test_bos_opens_a_prompt_in_any_script(letters: str, text: str) -> None:
    tokenizer = framed("<s> <user> $A </s>", letters)
    whole = tokenizer(text)["input_ids"]
    assert whole[:2] == [0, 2]
    assert Prompting(tokenizer, None, 64).tokenize([text]) == [whole[:-1]]
    example = Example(({"role": "user", "content": text},), text)
    trained = encode(example, tokenizer)
    assert list(trained.ids[: trained.prompt]) == whole[:-1]


def test_what_opens_an_answer_is_not_dropped_silently() -> None:
    tokenizer = framed("<user> $A <assistant> </s>", "abc ")
    with pytest.raises(UserError, match="'<assistant>' does not end a text: put it into a chat template"):
        Prompting(tokenizer, None, 64).tokenize(["a cab"])
