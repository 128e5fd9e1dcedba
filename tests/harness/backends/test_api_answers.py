"""What servers send back, brought into one form: parts, reasoning, stops that they ignore or refuse, newer names."""

import json
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from typing import Any

import pytest

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions, Generation
from holdfast.harness.backends.engines import api_engine
from tests.harness.backends.servers import Fault, Served, send
from tests.harness.loras import ask

pytestmark = pytest.mark.skipif(find_spec("aiohttp") is None, reason="aiohttp is not installed")

QUESTION = "Which city is the capital of France?"


def answer(served: Served, fault: Fault | None = None, *, variables: Any = None, **settings: Any) -> Generation:
    served.faults = [fault] if fault else []
    args = {"model": "big", "base_url": served.url, "endpoint": settings.pop("endpoint", "chat")}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    backend = entry.build(BackendOptions(args, chat_template_kwargs=variables or {}), found)
    return ask(backend, [QUESTION], ["base"], **settings)["base", QUESTION]


def says(content: Any, finish: str | None = "stop", **message: Any) -> Fault:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    body = {"choices": [choice], "usage": {"completion_tokens": 5}}
    return lambda handler: send(handler, 200, body) is None


@pytest.mark.parametrize(
    ("fault", "output", "reasoning"),
    [
        (says([{"type": "text", "text": "Par"}, {"type": "text", "text": "is"}]), "Paris", ""),
        (says("<think>\nThe user asks.\n</think>\n\nParis"), "Paris", "The user asks."),
        (says("Paris", reasoning_content="The user asks."), "Paris", "The user asks."),
        (says("Paris", reasoning="The user asks."), "Paris", "The user asks."),
        (says("Paris\nQ: What next?\nA: Rome"), "Paris", ""),
        (says("<think>one\ntwo</think>\nParis\nRome"), "Paris", "one\ntwo"),
        (says("Paris", None), "Paris", ""),
    ],
)
def test_an_answer_is_the_text_up_to_the_stop_without_its_reasoning(
    served: Served, fault: Fault, output: str, reasoning: str
) -> None:
    found = answer(served, fault, stop=("\n",))
    assert (found.output, found.reasoning, found.finish) == (output, reasoning, "stop")
    assert len(served.asked) == 1


def test_thinking_until_the_limit_is_no_answer(served: Served) -> None:
    found = answer(served, says(None, "length", reasoning_content="The user"))
    assert (found.output, found.reasoning, found.finish) == ("", "The user", "length")


def test_anthropic_gets_no_stop_of_whitespace_and_its_answer_is_cut_here(served: Served) -> None:
    parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Paris\nRome END"}]
    body = {"content": parts, "stop_reason": "max_tokens", "usage": {"output_tokens": 4}}
    fault = lambda handler: send(handler, 200, body) is None  # noqa: E731
    found = answer(served, fault, endpoint="messages", stop=("\n", "END"))
    assert served.asked[0]["stop_sequences"] == ["END"]
    assert (found.output, found.reasoning, found.finish) == ("Paris", "Hm.", "stop")


def test_no_more_stops_are_sent_than_servers_take(served: Served) -> None:
    found = answer(served, says("Paris five Rome"), stop=("one", "two", "three", "four", "five"))
    assert served.asked[0]["stop"] == ["one", "two", "three", "four"]
    assert found.output == "Paris"


def test_a_model_that_wants_max_completion_tokens_gets_it(served: Served) -> None:
    served.newer = True
    args = {"model": "big", "base_url": served.url}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    answers = ask(entry.build(BackendOptions(args, 2), found), ["Who?", "When?"], ["base"], max_new_tokens=9)
    assert [body["max_completion_tokens"] for body in served.asked if "max_tokens" not in body] == [9, 9]
    assert {answer.output for answer in answers.values()} == {"big says WHO?", "big says WHEN?"}


def test_what_a_model_does_not_support_is_left_out_from_then_on(served: Served) -> None:
    served.refuses = ("stop", "seed")
    args = {"model": "big", "base_url": served.url}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    answers = ask(entry.build(BackendOptions(args, 1), found), ["Who?", "When?"], ["base"], stop=(" WH",))
    assert [sorted({"stop", "seed"} & body.keys()) for body in served.asked] == [["seed", "stop"], ["seed"], [], []]
    assert {(answer.output, answer.finish) for answer in answers.values()} == {("big says", "stop")}


def test_a_model_that_refuses_greedy_decoding_is_named_with_the_way_out(served: Served) -> None:
    served.refuses = ("temperature",)
    with pytest.raises(UserError, match=r"'temperature' is not supported.*--gen_kwargs temperature=1"):
        answer(served)


def test_template_variables_are_sent_to_chat_servers(served: Served) -> None:
    answer(served, variables={"enable_thinking": False})
    assert served.asked[0]["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_model_that_takes_only_its_own_temperature_is_run_at_it(served: Served) -> None:
    only_one = lambda handler: send(handler, 400, {"error": {"message": "'temperature' must be 1"}}) is None  # noqa: E731
    args = {"model": "big", "base_url": served.url}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    backend = entry.build(BackendOptions(args, 1), found)
    backend.probe([QUESTION])
    assert all("temperature" not in body for body in served.asked)
    served.faults = [only_one]
    assert ask(backend, [QUESTION], ["base"], temperature=1.0)["base", QUESTION].output
    assert [body.get("temperature") for body in served.asked[-2:]] == [1.0, None]


def test_a_model_without_log_probabilities_is_not_asked_for_them_again(served: Served) -> None:
    served.refuses = ("logprobs",)
    args = {"model": "big", "base_url": served.url}
    entry = backends.get("api")
    _, found = entry.find(args, ["base", "other"])
    backend = entry.build(BackendOptions(args, 1), found)
    backend.probe([QUESTION])
    assert ["logprobs" in body for body in served.asked] == [True, False, False, False][: len(served.asked)]
    assert "top_logprobs" not in served.asked[-1]


def test_an_unsupported_max_tokens_without_a_hint_is_sent_by_its_newer_name(served: Served) -> None:
    served.refuses = ("max_tokens",)
    assert answer(served, max_new_tokens=9).output
    assert served.asked[-1]["max_completion_tokens"] == 9


@pytest.mark.parametrize("tokens", [-5, "many", 1e30, float("nan"), True, 10**30, [3]])
def test_an_impossible_number_of_tokens_is_no_answer(served: Served, tokens: Any) -> None:
    body = {
        "choices": [{"finish_reason": "stop", "message": {"content": "Paris"}}],
        "usage": {"completion_tokens": tokens},
    }
    served.faults = [lambda handler: send(handler, 200, body) is None]
    args = {"model": "big", "base_url": served.url, "max_retries": 0}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    with pytest.raises(UserError, match="unreadable response: its number of tokens is"):
        ask(entry.build(BackendOptions(args), found), [QUESTION], ["base"])


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"low"'])
def test_log_probabilities_that_are_no_numbers_are_refused(served: Served, value: str) -> None:
    top = json.loads(f'[{{"token": "a", "logprob": {value}}}]')
    choice = {"finish_reason": "stop", "message": {"content": "a"}, "logprobs": {"content": [{"top_logprobs": top}]}}
    served.faults = [lambda handler: send(handler, 200, {"choices": [choice]}) is None]
    args = {"model": "big", "base_url": served.url, "max_retries": 0}
    entry = backends.get("api")
    _, found = entry.find(args, ["base"])
    with pytest.raises(UserError, match="unreadable response: a log-probability is"):
        entry.build(BackendOptions(args), found).probe([QUESTION])


@pytest.mark.parametrize("asked", ["86400", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_wait_that_a_server_asks_for_is_told(
    served: Served, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_engine, "LONGEST_WAIT", 0.01)

    def busy(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(429)
        handler.send_header("Retry-After", asked)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    with pytest.warns(
        UserWarning, match=r"does not answer \(status 429\): it asks for \d{5,} s, so the next attempt is"
    ):
        assert answer(served, busy).output
