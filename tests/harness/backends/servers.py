"""A small OpenAI-compatible (and Anthropic-like) server on loopback that answers by rule and misbehaves on request."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret-1234"

Fault = Callable[[BaseHTTPRequestHandler], bool]
"""Writes a faulty response and returns True, or returns False to have the server answer."""


@dataclass
class Served:
    """A running server: the requests that it got, and the faults for the next ones."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    loads: bool = True
    newer: bool = False
    """Whether max_tokens is refused, as newer models do."""
    refuses: tuple[str, ...] = ()
    """Settings that the model doesn't support."""
    latency: float = 0.0


@contextmanager
def server() -> Iterator[Served]:
    served, lock = Served(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                served.asked.append({"path": self.path, **body})
                served.keys.add(self.headers.get("Authorization") or self.headers.get("x-api-key") or "")
                fault = served.faults.pop(0) if served.faults else None
            if fault and fault(self):
                return
            time.sleep(served.latency)
            if self.path.endswith("load_lora_adapter"):
                send(self, *((200, "loaded") if served.loads else (404, {"detail": "Not Found"})))
            elif served.newer and "max_tokens" in body:
                send(self, 400, {"error": {"message": "Unsupported parameter: use 'max_completion_tokens' instead."}})
            elif unsupported := [name for name in served.refuses if name in body]:
                message = f"Unsupported parameter: '{unsupported[0]}' is not supported with this model."
                send(self, 400, {"error": {"message": message, "param": unsupported[0]}})
            elif str(body["model"]).startswith("no-"):
                send(self, 404, {"error": {"message": f"The model {body['model']} does not exist"}})
            else:
                send(self, 200, answer(self.path, body))

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as http:
        served.url = f"http://127.0.0.1:{http.server_port}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield served
        http.shutdown()


def answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
    prompt = body.get("prompt") or body["messages"][0]["content"]
    text = f" {body['model']} says {prompt.upper()} "
    if path.endswith("/messages"):
        return {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 7}}  # fmt: skip
    if body.get("echo"):
        return echoed(prompt)
    first = {"token": "a", "logprob": -len(body["model"]) / 10, "bytes": None}
    choice: dict[str, Any] = {"text": text, "logprobs": {"top_logprobs": [{"a": first["logprob"]}]}}
    if path.endswith("/chat/completions"):
        choice = {"message": {"role": "assistant", "content": text},
                "logprobs": {"content": [{**first, "top_logprobs": [first]}]}}  # fmt: skip
    usage = {"prompt_tokens": 1, "completion_tokens": 7, "total_tokens": 8}
    return {"id": "1", "object": "o", "created": 1, "model": "m", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", **choice}]}  # fmt: skip


def echoed(text: str) -> dict[str, Any]:
    """Echo a text with log-probabilities: tokens are words, shorter ones are likelier, and one word is generated."""
    tokens = [*re.findall(r" ?[^ ]+", text), " more"]
    return {"choices": [{"text": f"{text} more", "finish_reason": "length",
                         "logprobs": {"tokens": tokens, "token_logprobs": [None, *(-float(len(t)) for t in tokens[1:])]}}],
            "usage": {"completion_tokens": 1}}  # fmt: skip


def send(handler: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def refused(code: str) -> Fault:
    error = {"error": {"message": f"This prompt is refused: {code}", "code": code}}
    return lambda handler: send(handler, 400, error) is None


def status(code: int, **headers: str) -> Fault:
    return lambda handler: send(handler, code, {"error": {"message": "not now"}}, **headers) is None


def hang(handler: BaseHTTPRequestHandler) -> bool:
    time.sleep(0.6)
    handler.close_connection = True
    return True


def close_mid_stream(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choices": [')
    handler.close_connection = True
    return True


def invalid_json(handler: BaseHTTPRequestHandler) -> bool:
    send(handler, 200, '{"id": "1", "choices": [')
    return True


def empty_choice(handler: BaseHTTPRequestHandler) -> bool:
    send(handler, 200, {"id": "1", "object": "o", "created": 1, "model": "m", "choices": []})
    return True


def without_text(finish: str, **message: Any) -> Fault:
    """A chat model's answer without text, for the reason `finish`."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None, **message}}
    body = {"id": "1", "object": "o", "created": 1, "model": "m", "choices": [choice]}
    return lambda handler: send(handler, 200, body) is None


def refusal(handler: BaseHTTPRequestHandler) -> bool:
    """Anthropic's response when the model refuses to answer."""
    body = {"content": [], "stop_reason": "refusal", "usage": {"output_tokens": 0}}
    return send(handler, 200, body) is None


def no_echo(handler: BaseHTTPRequestHandler) -> bool:
    choice = {"text": "more", "finish_reason": "length", "logprobs": {"tokens": ["more"], "token_logprobs": [-1.0]}}
    send(handler, 200, {"choices": [choice], "usage": {"completion_tokens": 1}})
    return True
