"""What a server can't do to a user of the api backend: get the key elsewhere, fill the memory, reach the terminal."""

import gzip
import json
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from typing import Any

import pytest

from holdfast.errors import UserError
from tests.harness.backends import servers
from tests.harness.backends.servers import KEY, Fault, Served
from tests.harness.backends.test_api import PROMPTS, connect
from tests.harness.loras import ask

pytestmark = pytest.mark.skipif(find_spec("aiohttp") is None, reason="aiohttp is not installed")


def redirect(location: str, status: int = 307) -> Fault:
    return lambda handler: servers.send(handler, status, "", Location=location) is None


def raw(content: bytes, status: int = 200, **headers: str) -> Fault:
    def fault(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        return True

    return fault


def chat(**message: Any) -> Fault:
    choice = {"message": message, "text": message.get("content"), "finish_reason": "stop"}
    return raw(json.dumps({"choices": [choice], "usage": {"completion_tokens": 1}}).encode())


@pytest.mark.parametrize("endpoint", ["chat", "messages"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_key_follows_a_redirect_elsewhere(served: Served, endpoint: str, status: int) -> None:
    with servers.server() as thief:
        served.faults.append(redirect(f"{thief.url}/steal", status))
        with pytest.raises(UserError) as refused:
            ask(connect(served, endpoint=endpoint, batch_size=1), PROMPTS, ["base"])
        assert (thief.keys, thief.asked) == (set(), [])
    assert served.url.removesuffix("/v1") in str(refused.value)
    assert thief.url in str(refused.value)


@pytest.mark.parametrize(
    "location",
    ["https://127.0.0.1/v1", "file:///etc/passwd", "//other.example/v1", "http://a:b@127.0.0.1/", "http://[", ""],
)
def test_redirects_to_another_origin_are_refused(served: Served, location: str) -> None:
    served.faults.append(redirect(location))
    with pytest.raises(UserError, match="redirects to .*not followed"):
        ask(connect(served, batch_size=1), PROMPTS[:1], ["base"])


def test_redirects_on_the_same_server_are_followed(served: Served) -> None:
    plain = ask(connect(served), PROMPTS, ["base"])
    served.faults.append(redirect("/v1/chat/completions"))
    assert ask(connect(served, batch_size=1), PROMPTS, ["base"]) == plain


def test_redirects_in_a_circle_end(served: Served) -> None:
    served.faults += [redirect("/v1/chat/completions")] * 10
    with pytest.raises(UserError, match="redirects more than 5 times"):
        ask(connect(served, batch_size=1), PROMPTS[:1], ["base"])


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_response_is_refused(served: Served, packed: bool) -> None:
    content = b" " * (40 * 2**20)
    served.faults.append(raw(gzip.compress(content), Content_Encoding="gzip") if packed else raw(content))
    with pytest.raises(UserError, match="sends more than 32 MiB"):
        ask(connect(served, batch_size=1), PROMPTS[:1], ["base"])


def test_a_repeated_key_is_masked_in_answers(served: Served) -> None:
    served.faults += [chat(content=f"Your key is {KEY}.", reasoning_content=f"It is {KEY}")]
    [answer] = ask(connect(served, batch_size=1), PROMPTS[:1], ["base"]).values()
    assert answer.output == "Your key is ***."
    assert KEY not in answer.reasoning


def test_a_placeholder_for_a_key_is_no_secret(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    served.faults += [chat(content="The glass is EMPTY.")]
    [answer] = ask(connect(served, batch_size=1), PROMPTS[:1], ["base"]).values()
    assert answer.output == "The glass is EMPTY."


def test_control_characters_of_a_server_are_escaped(served: Served) -> None:
    served.faults.append(raw(b'{"error": {"message": "\\u001b[2J\\u009b31m\\u202eno"}}', 404))
    with pytest.raises(UserError) as refused:
        ask(connect(served, batch_size=1), PROMPTS[:1], ["base"])
    assert r"\x1b[2J\x9b31m\u202eno" in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": "a"}, "finish_reason": ["x"]}]}',
        b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {"completion_tokens": "many"}}',
        b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": [1]}',
        b"\xff\xfe",
        b"5",
        b"9" * 10_000,
    ],
)
def test_an_unreadable_response_is_one_line(served: Served, content: bytes) -> None:
    served.faults += [raw(content)] * 2
    with pytest.raises(UserError, match=r"did not answer in 2 attempts \(last: unreadable response"):
        ask(connect(served, batch_size=1, max_retries=1), PROMPTS[:1], ["base"])


@pytest.mark.parametrize("key", ["line\nbreak", "tab\there", "clé"])
def test_a_key_that_no_header_can_hold_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY is not a key"):
        ask(connect(served, batch_size=1), PROMPTS[:1], ["base"])
