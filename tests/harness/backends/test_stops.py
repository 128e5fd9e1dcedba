"""Stop strings end an answer at the same place for every batch size, and never in a model's reasoning."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.harness.checkpoints import connect, copy_pocket, greedy
from tests.harness.loras import POCKET, ask

PROMPTS = [
    "Summarise: Anna asked Ben about the train to Lyon. It leaves at ten.",
    "Summarise this dialogue.\nAnna: Can you buy milk?\nBen: Yes, at five pm.\nSummary:",
    "Write a note about trains",
]


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("stop", [(" the",), ("<|end|>",), (" at", "the g", " the")])
def test_text_finish_and_token_count_do_not_depend_on_the_batch(size: int, stop: tuple[str, ...]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    answers = ask(connect(POCKET, size=size), PROMPTS, ["base"], max_new_tokens=24, stop=stop)
    for prompt in PROMPTS:
        whole = greedy(f"<|user|>{prompt}<|assistant|>", POCKET, tokens=24)
        at = min((whole.find(each) for each in stop if each in whole), default=len(whole))
        answer = answers["base", prompt]
        assert answer.output == whole[:at].strip()
        assert answer.finish == "stop"
        spelled = tokenizer(whole, add_special_tokens=False)["input_ids"]
        first = next(
            (n for n in range(len(spelled)) if any(s in tokenizer.decode(spelled[:n]) for s in stop)), len(spelled)
        )
        assert answer.tokens == first


def test_a_special_token_of_the_tokenizer_is_a_stop_like_any_other(tmp_path: Path) -> None:
    base = copy_pocket(tmp_path / "base", generation={"eos_token_id": None})
    plain = ask(connect(POCKET), PROMPTS, ["base"], max_new_tokens=24)
    stopped = ask(connect(base), PROMPTS, ["base"], max_new_tokens=24, stop=("<|end|>", "<|user|>"))
    assert stopped == plain


def test_a_stop_string_at_the_end_of_the_prompt_does_not_end_the_answer() -> None:
    prompt = "Write a note about trains. The"
    plain = ask(connect(POCKET, chat_template="none"), [prompt], ["base"], max_new_tokens=8)
    first = plain["base", prompt].output[:1]
    assert first
    stop = (f"The {first}", f"The{first}")
    stopped = ask(connect(POCKET, chat_template="none"), [prompt], ["base"], max_new_tokens=8, stop=stop)
    assert stopped == plain


def test_a_stop_string_in_the_reasoning_does_not_count(tmp_path: Path) -> None:
    thinking = "<|user|>{{ messages[0]['content'] }}<|assistant|><think>"
    base = copy_pocket(tmp_path / "base", template=thinking)
    answer = ask(connect(base), PROMPTS[:1], ["base"], max_new_tokens=8, stop=(" ",))["base", PROMPTS[0]]
    assert answer.output == ""
    assert answer.tokens > 1
    assert answer.reasoning == greedy(f"<|user|>{PROMPTS[0]}<|assistant|><think>", POCKET)


def test_a_turn_end_of_several_tokens_ends_an_answer(tmp_path: Path) -> None:
    whole = greedy(f"<|user|>{PROMPTS[0]}<|assistant|>", POCKET, tokens=24)
    end = whole.split()[3]
    template = (
        "{% for m in messages %}{% if m['role'] == 'user' %}<|user|>{{ m['content'] }}<|assistant|>"
        f"{{% else %}}{{{{ m['content'] }}}} {end}{{% endif %}}{{% endfor %}}"
    )
    base = copy_pocket(tmp_path / "base", template=template)
    answer = ask(connect(base), PROMPTS[:1], ["base"], max_new_tokens=24)["base", PROMPTS[0]]
    assert (answer.output, answer.finish) == (whole.partition(f" {end}")[0], "stop")
