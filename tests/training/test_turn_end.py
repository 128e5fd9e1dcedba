"""What a chat template puts at the end of an assistant's turn is learned, whatever the tokenizer's end token."""

from typing import Any

import pytest
from transformers import AutoTokenizer

from holdfast.training.examples import Example, encode
from holdfast.training.loop.batches import Collator
from tests.harness.loras import POCKET

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PHI = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|stop|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}<|endoftext|>{% endif %}"
)
SEVERAL = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ m['content'] | trim }}\n### End of answer\n\n"
    "{% else %}### Question\n{{ m['content'] }}\n### Answer\n{% endif %}{% endfor %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %} {{ m['content'] }} {{ eos_token }}"
    "{% else %}[INST] {{ m['content'] }} [/INST]{% endif %}{% endfor %}"
)
NOTHING = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: "
REFUSES_ANSWERS = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ raise_exception('no') }}{% endif %}"
    "<|user|>{{ m['content'] }}{% endfor %}"
)
CASES = {
    "chatml": (CHATML, "<|im_end|>"),
    "end of text after the last turn": (PHI, "<|stop|>"),
    "several tokens": (SEVERAL, "\n### End of answer"),
    "space before": (LLAMA2, " <|end|>"),
    "nothing": (NOTHING, "<|end|>"),
    "answers refused": (REFUSES_ANSWERS, "<|end|>"),
}
MESSAGES = ({"role": "user", "content": "When does it leave?"},)


def tokenizer_with(template: str | None, special: bool = True) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    if special:
        added = ["<|im_start|>", "<|im_end|>", "<|stop|>", "<|endoftext|>"]
        tokenizer.add_special_tokens({"additional_special_tokens": added})
    tokenizer.chat_template = template
    return tokenizer


def learned(tokenizer: Any, example: Example) -> list[int]:
    batch = Collator(tokenizer.pad_token_id, "causal")([(0, encode(example, tokenizer))])
    labels = batch["labels"][0]
    return labels[labels != -100].tolist()


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_the_label_is_the_answer_and_the_turn_end(case: str, special: bool) -> None:
    template, end = CASES[case]
    tokenizer = tokenizer_with(template, special)
    answer = "At ten, from platform 4."
    expected = tokenizer(answer + end, add_special_tokens=False)["input_ids"]
    assert learned(tokenizer, Example(MESSAGES, answer)) == expected


def test_the_prompt_is_what_generation_sees() -> None:
    tokenizer = tokenizer_with(CHATML)
    encoded = encode(Example(MESSAGES, "At ten."), tokenizer)
    prompt = tokenizer.apply_chat_template(list(MESSAGES), tokenize=False, add_generation_prompt=True)
    assert list(encoded.ids[: encoded.prompt]) == tokenizer(prompt, add_special_tokens=False)["input_ids"]


def test_without_a_template_the_end_token_is_learned() -> None:
    tokenizer = tokenizer_with(None)
    assert learned(tokenizer, Example(MESSAGES, "At ten."))[-1] == tokenizer.eos_token_id


def test_runs_end_answers_where_training_does() -> None:
    from holdfast.harness.backends.engines.prompting import Prompting
    from holdfast.training.chat_template import find_template

    tokenizer = tokenizer_with(CHATML)
    prompting = Prompting(tokenizer, find_template(tokenizer, owner="the model"), 100)
    assert prompting.ends(()) == {tokenizer.convert_tokens_to_ids("<|im_end|>"), tokenizer.eos_token_id}
