"""One question to an OpenAI-compatible server or to Anthropic's.

Through aiohttp, not the vendors' own clients: those spend over ten times the processor time on each request, and with
64 under way at a server that takes 50 ms for each they reach about half of aiohttp's rate (benchmarks/api_speed.py).
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any, Self
from urllib.parse import urlsplit

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Settings

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
"""The endpoints: OpenAI's two, and Anthropic's."""

_OPENAI, _ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1"
_CUT = {"length", "max_tokens"}
"""Why an answer ended where the model would have gone on."""

_LONGEST_WAIT = 300.0
"""Seconds that a server may ask to be left alone; a run does not stand still for a day."""

_EXCERPT = 80
"""Characters of a prompt or of an answer that are shown, so that it can be told from others."""

_FILTERED = {"content_filter", "content_policy_violation"}
"""The codes of Azure and of OpenAI for a prompt that their filter kept from the model."""

_RETRIED_STATUSES = {408, 409, 425, 429}


class Unanswered(Exception):
    """Nothing usable came back, and asking again may help; `wait` is what the server asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: text, tokens, whether the model ended by itself, and the first token's alternatives."""

    text: str
    tokens: int
    ended: bool
    first: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Echo:
    """A text as the server's model reads it: its tokens, and the log-probability of each after those before it."""

    tokens: tuple[str, ...]
    log_probabilities: tuple[float | None, ...]


class Client:
    """A server, asked by many coroutines at once; entered in the event loop that uses it."""

    def __init__(self, endpoint: str, base_url: str | None, timeout: float, connections: int) -> None:
        self._endpoint = endpoint
        self._url = address(endpoint, base_url)
        self._timeout = timeout
        self._connections = connections
        self._session: Any = None

    async def __aenter__(self) -> Self:
        import aiohttp

        key = os.environ.get(key_name(self._endpoint), "none")
        own = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        self._session = aiohttp.ClientSession(
            headers=own if self._endpoint == "messages" else {"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def ask(self, model: str, prompt: str, settings: Settings, alternatives: int = 0) -> Answer:
        """Ask once. Raises Unanswered where asking again may help, UserError where it won't."""
        prompt = prompt.encode("utf-8", "replace").decode()
        body = self._body(model, prompt, settings, alternatives)
        status, content = await self._post(PATHS[self._endpoint], body)
        if status == 400 and _is_filtered(content):
            return Answer("", 0, True, {})
        if status != 200:
            raise UserError(self._refusal(status, content, model, prompt))
        try:
            return self._read(json.loads(content))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Unanswered(_unreadable(content)) from None

    async def echo(self, model: str, text: str) -> Echo:
        """Have the model read a text and write nothing. Raises as `ask` does; completions only."""
        text = text.encode("utf-8", "replace").decode()
        body = {"model": model, "prompt": text, "max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1}
        status, content = await self._post(PATHS["completions"], body)
        if status != 200:
            raise UserError(self._refusal(status, content, model, text))
        try:
            said = json.loads(content)
            found = said["choices"][0]["logprobs"]
            read = slice(-said["usage"]["completion_tokens"] or None)
            echo = Echo(tuple(found["tokens"][read]), tuple(found["token_logprobs"][read]))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Unanswered(_unreadable(content)) from None
        if len(echo.tokens) < 2:
            raise UserError(
                f"{self._url} does not give the log-probabilities of a prompt (echo with logprobs), which choosing "
                "among answers needs: vLLM's server does"
            )
        return echo

    async def load_adapter(self, name: str, path: str) -> None:
        """Have the server load an adapter from a directory that it sees too (vLLM does so where it is allowed to)."""
        try:
            status, content = await self._post("/load_lora_adapter", {"lora_name": name, "lora_path": path})
        except Unanswered as error:
            raise UserError(f"{self._url} can't be asked to load an adapter: {error}") from None
        if status != 200 and b"already" not in content:
            raise UserError(
                f"{self._url} does not load '{path}' ({status}: {_said(content)}): a vLLM server does with "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora; or name an adapter it serves, as in "
                "a=served-name"
            )

    async def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        import aiohttp

        try:
            async with self._session.post(self._url + path, json=body) as response:
                content = await response.read()
        except TimeoutError:
            raise Unanswered(f"no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unanswered(_interrupted(error)) from None
        if response.status in _RETRIED_STATUSES or response.status >= 500:
            why = f"status {response.status}: {_said(content)[:_EXCERPT]}".rstrip(": ")
            raise Unanswered(why, _seconds(response.headers.get("Retry-After", "")))
        return response.status, content

    def _body(self, model: str, prompt: str, settings: Settings, alternatives: int) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model, "max_tokens": settings.max_new_tokens}
        body["temperature"] = settings.temperature
        if settings.top_p != 1.0:
            body["top_p"] = settings.top_p
        if settings.stop:
            body["stop_sequences" if self._endpoint == "messages" else "stop"] = list(settings.stop)
        if self._endpoint != "messages":
            body["seed"] = settings.seed
        if self._endpoint == "completions":
            return body | {"prompt": prompt} | ({"logprobs": alternatives} if alternatives else {})
        body["messages"] = [{"role": "user", "content": prompt}]
        if alternatives and self._endpoint == "chat":
            body |= {"logprobs": True, "top_logprobs": alternatives}
        return body

    def _read(self, said: Any) -> Answer:
        """The answer in a response's JSON; raises some LookupError or TypeError where there is none."""
        if self._endpoint == "messages":
            text = "".join(part["text"] for part in said["content"] if part["type"] == "text")
            return Answer(text.strip(), said["usage"]["output_tokens"], said["stop_reason"] not in _CUT, {})
        choice = said["choices"][0]
        text = _message(choice) if self._endpoint == "chat" else choice["text"]
        tokens = (said.get("usage") or {}).get("completion_tokens", 0)
        return Answer(text.strip(), tokens, choice["finish_reason"] not in _CUT, _first(choice.get("logprobs") or {}))

    def _refusal(self, status: int, content: bytes, model: str, prompt: str) -> str:
        if status in (401, 403):
            return f"{self._url} refuses the key in {key_name(self._endpoint)} (status {status})"
        which = f"; its prompt begins {' '.join(prompt.split())[:_EXCERPT]!r}" if status == 400 else ""
        return f"{self._url} refuses a request to '{model}' (status {status}): {_said(content)}{which}"


def address(endpoint: str, base_url: str | None) -> str:
    """Where requests go; the vendor's own server unless another is named."""
    return (base_url or (_ANTHROPIC if endpoint == "messages" else _OPENAI)).rstrip("/")


def key_name(endpoint: str) -> str:
    """The environment variable that holds the key, which is nowhere else."""
    return "ANTHROPIC_API_KEY" if endpoint == "messages" else "OPENAI_API_KEY"


def check_access(endpoint: str, base_url: str | None) -> None:
    """Raise UserError for a missing client or key, and for an address with a password in it."""
    if find_spec("aiohttp") is None:
        raise UserError("the api backend needs aiohttp: pip install 'holdfast-eval[api]'")
    key = key_name(endpoint)
    if base_url is None:
        if not os.environ.get(key):
            raise UserError(
                f"set {key} to ask {address(endpoint, None)}, or name another server as base_url= in --model_args"
            )
        return
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("--model_args: base_url must be an address, as in http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise UserError(f"--model_args: base_url would be stored; its secret belongs into {key}")


def _message(choice: Mapping[str, Any]) -> Any:
    """What a chat model says; no text where it was filtered or all thinking, a refusal where that has its own field."""
    message = choice["message"]
    without = message.get("refusal") or ("" if choice["finish_reason"] != "stop" else None)
    return message["content"] if message["content"] is not None else without


def _first(logprobs: Mapping[str, Any]) -> dict[str, float]:
    """The first token's alternatives with their log-probabilities, in either endpoint's shape."""
    if logprobs.get("content"):
        return {each["token"]: each["logprob"] for each in logprobs["content"][0]["top_logprobs"]}
    return dict(logprobs["top_logprobs"][0]) if logprobs.get("top_logprobs") else {}


def _is_filtered(content: bytes) -> bool:
    """Whether a provider's filter kept a prompt from the model, which comes as if the request were at fault."""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return json.loads(content)["error"]["code"] in _FILTERED
    return False


def _unreadable(content: bytes) -> str:
    return f"an answer that can't be read: {_said(content)[:_EXCERPT] or 'nothing'}"


def _interrupted(error: Exception) -> str:
    """What went wrong with a connection, in the system's words where it is the system's."""
    cause = getattr(error, "os_error", None)
    return f"no connection: {cause.strerror or cause}" if cause else f"{type(error).__name__}: {error}".rstrip(": ")


def _said(content: bytes) -> str:
    """A server's message in a line, without anything that is a key, or looks like one."""
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, LookupError, TypeError):
        text = str(json.loads(text)["error"]["message"])
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        text = text.replace(os.environ.get(name) or "\0", "***")
    return " ".join(re.sub(r"\bsk-[\w*-]+", "***", text).split())[:300]


def _seconds(text: str) -> float:
    """How long Retry-After asks to wait: seconds, or until a date (RFC 9110, section 10.2.3)."""
    try:
        asked = float(text)
    except ValueError:
        try:
            asked = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # nothing, or a date without a zone
            return 0.0
    return min(asked, _LONGEST_WAIT) if asked > 0 else 0.0
