"""Reasoning and stop strings: what counts as the answer."""

import pytest

from holdfast.harness.backends.engines.answer_text import split_answer


@pytest.mark.parametrize(
    ("written", "stop", "text", "reasoning", "stopped"),
    [
        ("Paris", (), "Paris", "", False),
        ("Paris\nQ: What next?", ("\n",), "Paris", "", True),
        ("\nParis", ("\n",), "", "", True),
        ("<think>\nFrance.\nIts capital?\n</think>\n\nParis\nMore", ("\n",), "Paris", "France.\nIts capital?", True),
        ("France.\n</think>\n\nParis", ("\n",), "Paris", "France.", False),
        ("<think>France. It might be", ("might",), "", "France. It might be", False),
        ("<think>a</think>Paris<think>b</think>!", (), "Paris!", "a\n\nb", False),
        ("<thinking>a</thinking> Paris", (), "Paris", "a", False),
        ("2 < 3 and <b>bold</b>", (), "2 < 3 and <b>bold</b>", "", False),
        ("a END b STOP", ("STOP", "END"), "a", "", True),
    ],
)
def test_an_answer_is_what_follows_the_reasoning_up_to_the_first_stop(
    written: str, stop: tuple[str, ...], text: str, reasoning: str, stopped: bool
) -> None:
    answer = split_answer(written, stop)
    assert (answer.text, answer.reasoning, answer.stopped) == (text, reasoning, stopped)
