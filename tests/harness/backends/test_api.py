"""The api backend against a local server: what it sends, which faults it survives, and that it never stores keys."""

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, evaluate
from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import Backend, BackendOptions, Generation, Request, Settings
from holdfast.harness.backends.engines import api_engine as api
from tests.harness.backends import servers
from tests.harness.backends.servers import KEY, Fault, Served
from tests.harness.loras import ask

pytestmark = pytest.mark.skipif(find_spec("aiohttp") is None, reason="aiohttp is not installed")

PROMPTS = ("Who?", "When?", "Where \ud800?")


def connect(served: Served, adapters: str = "base,a=lora-one", **settings: Any) -> Backend:
    concurrent, budget = settings.pop("batch_size", None), settings.pop("max_requests", None)
    args = {"model": "big", "base_url": served.url, "timeout": 5, **settings}
    entry = backends.get("api")
    entry.check(args)
    _, found = entry.find(args, adapters.split(","))
    return entry.build(BackendOptions(args, concurrent, None, budget), found)


@pytest.mark.parametrize("endpoint", ["chat", "completions", "messages"])
def test_each_adapter_is_requested_by_its_model_name(served: Served, endpoint: str) -> None:
    answers = ask(connect(served, endpoint=endpoint), PROMPTS, ["base", "a"], stop=("END",), max_new_tokens=9)
    assert answers["base", "Who?"].output == "big says WHO?"
    assert answers["a", "When?"].output == "lora-one says WHEN?"
    assert {(g.tokens, g.finish) for g in answers.values()} == {(7, "stop")}
    sent = served.asked[0]
    assert sent["max_tokens"] == 9
    assert sent["stop_sequences" if endpoint == "messages" else "stop"] == ["END"]


def test_it_works_where_a_loop_is_running_as_in_a_notebook(served: Served) -> None:
    async def cell() -> str:
        engine = connect(served)
        engine.probe(["Who?"])
        return ask(engine, PROMPTS, ["base"])["base", "Who?"].output

    assert asyncio.run(cell()) == "big says WHO?"


@pytest.mark.parametrize(
    "fault",
    [
        servers.status(500),
        servers.status(429, Retry_After="0.2"),
        servers.hang,
        servers.close_mid_stream,
        servers.invalid_json,
        servers.empty_choice,
    ],
    ids=["500", "429", "hang", "close", "invalid json", "empty choice"],
)
def test_temporary_faults_are_retried(served: Served, fault: Fault) -> None:
    plain = ask(connect(served), PROMPTS, ["base", "a"])
    served.asked.clear()
    served.faults += [fault] * 4
    assert ask(connect(served, timeout=0.3), PROMPTS, ["base", "a"]) == plain
    assert len(served.asked) == len(plain) + 4


@pytest.mark.parametrize(
    ("fault", "endpoint", "output", "finish"),
    [
        (servers.without_text("content_filter"), "chat", "", "filtered"),
        (servers.without_text("length"), "chat", "", "length"),
        (servers.without_text("stop", refusal="I can't."), "chat", "I can't.", "stop"),
        (servers.without_text("stop"), "chat", "", "stop"),
        (servers.refused("content_filter"), "chat", "", "filtered"),
        (servers.refusal, "messages", "", "filtered"),
    ],
    ids=["filtered", "only thinking", "refusal", "null", "prompt filtered", "Anthropic's refusal"],
)
def test_an_answer_may_be_empty(served: Served, fault: Fault, endpoint: str, output: str, finish: str) -> None:
    served.faults = [fault]
    answer = ask(connect(served, endpoint=endpoint), PROMPTS[:1], ["base"])["base", "Who?"]
    assert (answer.output, answer.finish) == (output, finish)
    assert len(served.asked) == 1


def test_retry_after_in_seconds_is_respected(served: Served) -> None:
    served.faults.append(servers.status(429, Retry_After="0.4"))
    began = time.perf_counter()
    ask(connect(served), PROMPTS[:1], ["base"])
    assert time.perf_counter() - began >= 0.4


def test_requests_are_sent_concurrently(served: Served) -> None:
    served.latency = 0.2
    began = time.perf_counter()
    ask(connect(served, batch_size=16), [str(i) for i in range(32)], ["base"])
    assert time.perf_counter() - began < 3  # sequentially, it would take more than six


def test_retry_after_as_a_date_is_respected(served: Served) -> None:
    served.faults.append(servers.status(429, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=2))))
    began = time.perf_counter()
    ask(connect(served), PROMPTS[:1], ["base"])
    assert time.perf_counter() - began >= 0.5  # dates have whole seconds


def test_a_server_that_stays_down_gives_a_warning_and_an_error(served: Served) -> None:
    served.faults += [servers.status(503)] * 50
    with (
        pytest.warns(UserWarning, match=r"'big' does not answer \(status 503: not now\): retrying"),
        pytest.raises(UserError, match=r"'big' did not answer in 4 attempts \(last: status 503: not now\)"),
    ):
        ask(connect(served, max_retries=3), PROMPTS[:1], ["base"])


def test_a_refused_connection_is_reported(served: Served) -> None:
    with pytest.raises(UserError, match=r"did not answer in 1 attempts \(last: no connection: Connect"):
        ask(connect(served, base_url="http://127.0.0.1:9/v1", max_retries=0), PROMPTS[:1], ["base"])


def test_an_unreadable_response_is_shown(served: Served) -> None:
    served.faults += [lambda handler: servers.send(handler, 200, "<html>Please log in</html>") is None]
    with pytest.raises(UserError, match="unreadable response: <html>Please log in</html>"):
        ask(connect(served, max_retries=0), PROMPTS[:1], ["base"])


def test_a_rejected_prompt_is_named_and_pending_answers_are_kept(served: Served) -> None:
    served.latency = 0.2
    served.faults = [servers.refused("too_long")]
    requests = [Request(str(i), "base", f"Question {i}", Settings()) for i in range(8)]
    kept: list[Generation] = []
    batches = connect(served, batch_size=4).generate(requests)
    with pytest.raises(UserError, match=r"status 400\): This prompt .*; its prompt begins 'Question \d'"):
        kept.extend(chain.from_iterable(batches))
    assert len(kept) == 3


def test_no_answer_is_lost_when_the_budget_is_used_up(served: Served) -> None:
    served.latency = 0.1
    requests = [Request(str(i), "base", str(i), Settings()) for i in range(40)]
    kept: list[Generation] = []
    batches = connect(served, max_requests=20).generate(requests)
    with pytest.raises(UserError, match="--max_requests 20 is used up"):
        kept.extend(chain.from_iterable(batches))
    assert len(kept) == len(served.asked) == 20


def test_permanent_errors_are_not_retried(served: Served) -> None:
    with pytest.raises(UserError, match=r"rejects a request to 'no-such' \(status 404\): .*does not exist"):
        ask(connect(served, model="no-such"), PROMPTS[:1], ["base"])
    assert len(served.asked) == 1


def test_anthropic_gets_its_own_key(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-other")
    ask(connect(served, endpoint="messages"), PROMPTS[:1], ["base"])
    assert served.keys == {"sk-ant-other"}


def test_the_key_is_sent_but_never_shown(served: Served) -> None:
    ask(connect(served), PROMPTS[:1], ["base"])
    assert served.keys == {f"Bearer {KEY}"}
    served.faults += [
        lambda handler: servers.send(handler, 401, {"error": {"message": f"Incorrect key: {KEY}"}}) is None,
        lambda handler: servers.send(handler, 400, {"error": {"message": f"{KEY} or sk-ver***34 is odd"}}) is None,
    ]
    for message in (r"rejects the key in OPENAI_API_KEY \(status 401\)$", r"status 400\): .*\*\*\* or \*\*\* is odd"):
        with pytest.raises(UserError, match=message) as error:
            ask(connect(served), PROMPTS[:1], ["base"])
        assert KEY not in str(error.value)


def test_the_budget_counts_every_request_sent(served: Served) -> None:
    served.faults += [servers.status(500)] * 2
    with pytest.raises(UserError, match="--max_requests 4 is used up"):
        ask(connect(served, max_requests=4, batch_size=1), PROMPTS, ["base"])
    assert len(served.asked) == 4


def test_no_more_requests_are_sent_once_the_consumer_stops(served: Served) -> None:
    served.latency = 0.05
    backend = connect(served, batch_size=2)
    requests = [api.Request(str(i), "base", str(i), api.Settings()) for i in range(400)]
    batches = backend.generate(requests)
    next(iter(batches))
    batches.close()  # type: ignore[attr-defined]
    assert len(served.asked) < 50
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio")]


def test_adapters_are_probed_if_the_server_returns_probabilities(served: Served) -> None:
    probes = connect(served, "base,a=lora-one,same=bag").probe(["Who?", "When?"])
    assert probes == {"a": True, "same": False}


def test_without_probabilities_adapters_are_not_probed(served: Served, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="can't check whether adapter 'a' has an effect"):
        results = run(served, tmp_path, model_args={"model": "big", "base_url": served.url, "endpoint": "messages"})
    manifest = json.loads((results.path / "run.json").read_text())
    assert {entry["name"]: entry["has_effect"] for entry in manifest["adapters"]} == {"base": None, "a": None}
    assert any("whether adapter 'a' has an effect" in warning for warning in manifest["warnings"])


def test_incidental_settings_may_change_when_a_run_is_resumed(served: Served, tmp_path: Path) -> None:
    args = {"model": "big", "base_url": served.url}
    with pytest.raises(UserError, match="--max_requests 12 is used up"):
        run(served, tmp_path, max_requests=12)
    run(served, tmp_path, model_args={**args, "timeout": 90, "max_retries": 20}, batch_size=8)
    with pytest.raises(UserError, match="different settings .model_args was"):
        run(served, tmp_path, model_args={**args, "endpoint": "completions"})


def test_choices_are_ranked_by_the_server_s_log_probabilities(served: Served) -> None:
    asked = Request("1", "a", "Who was it?", Settings(), 0, ("Anna Karenina", "Bo", "nobody there at all"))
    [[answer]] = connect(served, endpoint="completions").generate([asked])
    assert (answer.output, answer.tokens, answer.finish) == ("Bo", 1, "choice")
    assert answer.likelihoods[1] > answer.likelihoods[0] > answer.likelihoods[2]
    assert {sent["model"] for sent in served.asked} == {"lora-one"}
    with pytest.raises(UserError, match="chat endpoints don't return: use endpoint=completions"):
        list(connect(served).generate([asked]))
    served.faults = [servers.no_echo]
    with pytest.raises(UserError, match="does not return log-probabilities of the prompt"):
        list(connect(served, endpoint="completions").generate([asked]))


def test_the_server_loads_a_directory_if_it_is_allowed_to(served: Served) -> None:
    backend = connect(served, "base,pocket=./training/pocket/models/pocket-steady")
    load = served.asked[0]
    assert load["path"] == "/v1/load_lora_adapter"
    assert Path(load["lora_path"]).is_absolute()
    assert ask(backend, ["Who?"], ["pocket"])["pocket", "Who?"].output == f"{load['lora_name']} says WHO?"
    served.loads = False
    with pytest.raises(UserError, match="does not load .* VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"):
        connect(served, "base,pocket=./training/pocket/models/pocket-steady")


def run(served: Served, folder: Path, **settings: Any) -> Results:
    chosen = {
        "model": "api",
        "model_args": {"model": "big", "base_url": served.url},
        "adapters": "base,a=lora-one",
        "tasks": "factual_qa",
        "perturbations": "typos",
        "limit": 3,
        "encoder": "lexical",
        "min_meaning": 0,
    }
    return evaluate(output_path=folder, **{**chosen, **settings})


def test_the_same_command_resumes_a_run_with_a_used_up_budget(served: Served, tmp_path: Path) -> None:
    whole = run(served, tmp_path / "whole")
    sent = len(served.asked)
    served.asked.clear()
    with pytest.raises(UserError, match="--max_requests 18 is used up"):
        run(served, tmp_path / "parts", max_requests=18, batch_size=4)
    parts = run(served, tmp_path / "parts", batch_size=4)
    probes = 3 * 3  # each command probes again
    assert len(served.asked) <= sent + probes + 4  # up to four were pending when the budget ran out
    for name in ("breakdown.csv", "leaderboard.csv"):
        assert (parts.path / name).read_bytes() == (whole.path / name).read_bytes()
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert KEY.encode() not in written


@pytest.mark.parametrize(
    ("model_args", "message"),
    [
        ({"api_key": "x"}, "put keys in the environment"),
        ({"modle": "x"}, "unknown argument 'modle' for the api backend; did you mean 'model'"),
        ({"base_url": "http://me:pass@host/v1"}, "put the secret in OPENAI_API_KEY"),
        ({"base_url": "host:80"}, "base_url must be a URL"),
        ({"endpoint": "chats"}, "unknown endpoint 'chats'; did you mean 'chat'"),
        ({"timeout": "long"}, "timeout must be a number"),
        ({"model": ""}, "name the served base model"),
    ],
)
def test_a_wrong_model_argument_is_named(served: Served, model_args: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        connect(served, **model_args)


def test_a_vendor_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UserError, match="set OPENAI_API_KEY to use https://api.openai.com/v1"):
        backends.get("api").check({"model": "big"})


def test_scales_are_refused(served: Served, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a server can't scale adapters"):
        run(served, tmp_path / "run", adapter_scales="0.5,1")
