"""Reasoning and stop strings: what counts as the answer."""

import pytest

from holdfast.harness.backends.engines.answer_text import split_answer

ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("written", "stop", "text", "reasoning", "stopped"),
    [
        ("Paris", (), "Paris", "", False),
        ("Paris\nQ: What next?", ("\n",), "Paris", "", True),
        ("\nParis", ("\n",), "", "", True),
        ("<think>\nFrance.\nIts capital?\n</think>\n\nParis\nMore", ("\n",), "Paris", "France.\nIts capital?", True),
        ("France.\n</think>\n\nParis", ("\n",), "Paris", "France.", False),
        ("<think>France. It might be", ("might",), "", "France. It might be", False),
        ("<think>a</think>\n<think>b</think>\nParis", (), "Paris", "a\n\nb", False),
        ("<THINK>a</THINK> Paris", (), "Paris", "a", False),
        ("[THINK]a[/THINK]Paris", (), "Paris", "a", False),
        (f"{ANALYSIS}a<|end|><|start|>assistant{FINAL}Paris", (), "Paris", "a", False),
        (f"{FINAL}Paris", (), "Paris", "", False),
        ("Use <think> to start. Then </think> ends it.", (), "Use <think> to start. Then </think> ends it.", "", False),
        ("Close it with </think>", (), "Close it with </think>", "", False),
        ("Close it with </think> at the end.", (), "Close it with </think> at the end.", "", False),
        ("<think></think>\nParis", ("\n",), "Paris", "", False),
        ("<thinking>a</thinking> Paris", (), "Paris", "a", False),
        ("2 < 3 and <b>bold</b>", (), "2 < 3 and <b>bold</b>", "", False),
        ("a END b STOP", ("STOP", "END"), "a", "", True),
    ],
)
def test_an_answer_is_what_follows_the_reasoning_up_to_the_first_stop(
    written: str, stop: tuple[str, ...], text: str, reasoning: str, stopped: bool
) -> None:
    answer = split_answer(written, stop, unopened=True)
    assert (answer.text, answer.reasoning, answer.stopped) == (text, reasoning, stopped)


def test_a_closing_mark_alone_counts_only_if_the_prompt_may_have_opened_it() -> None:
    written = "Close it with\n</think>\nat the end."
    assert split_answer(written, ()).text == written
