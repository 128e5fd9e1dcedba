"""A client for OpenAI-compatible servers and Anthropic's: one request, one answer.

It uses aiohttp, not the vendors' own clients: with 64 concurrent requests of 50 ms each, OpenAI's reaches about 60 % of
aiohttp's rate (results/api_speed.txt).
"""

import contextlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from holdfast.errors import UserError
from holdfast.harness.backends.api_access import PATHS, key_name, key_of, mask_keys, redirected, server_address
from holdfast.harness.backends.backend import Settings
from holdfast.harness.backends.engines.answer_text import split_answer
from holdfast.language.text import encodable
from holdfast.reading import parse_json

_FINISH = {"length": "length", "max_tokens": "length", "content_filter": "filtered", "refusal": "filtered"}
"""What servers call the end of an answer, unless the model or a stop string ended it."""

_EXCERPT = 80
"""Characters of a prompt or answer to show in messages, enough to recognise it."""

_FILTERED = {"content_filter", "content_policy_violation"}
"""Error codes of Azure and OpenAI for a prompt that their content filter rejected."""

_LIMIT, _NEWER_LIMIT = "max_tokens", "max_completion_tokens"
"""The number of tokens to generate, and what newer models call it."""

_MOST_STOPS = 4
"""OpenAI refuses more stop strings."""

_PROBING = ("logprobs", "top_logprobs")
"""What a probe of adapters asks for; without either, there is none."""

_OPTIONAL = ("stop", "stop_sequences", "seed", *_PROBING)
"""Settings that are left out if a server refuses them: answers are cut at stop strings here, too."""

_UNSUPPORTED = re.compile(
    rb"unsupported|unknown|unrecogni[sz]ed|extra|not (?:supported|allowed|permitted)", re.IGNORECASE
)
"""How servers say that they don't take a setting at all, whatever its value."""

_MOST_TOKENS = 2**31
"""No answer has as many tokens."""

_REFUSED_STATUSES = {400, 422}
_RETRIED_STATUSES = {408, 409, 425, 429}

_REDIRECTS, _MOST_REDIRECTS = {301, 302, 303, 307, 308}, 5

_LARGEST = 32 * 2**20
"""Bytes of the largest response, decompressed: those of any real answer fit, and concurrent ones fit in memory."""


class Unanswered(Exception):
    """No usable response, but a retry may help; `wait` is the delay that the server asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class _Implausible(Exception):
    """A value in a response that no server can mean."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer."""

    text: str
    reasoning: str
    """What the model thought aloud before it."""
    tokens: int
    """Number of tokens as counted by the server, with those after a stop string that it ignored."""
    finish: str
    """As in `Generation`."""
    first: Mapping[str, float]
    """Log-probabilities of the likeliest first tokens, if the server returns them."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A text as tokenized by the server's model, with the log-probability of each token given those before it."""

    tokens: tuple[str, ...]
    log_probabilities: tuple[float | None, ...]


class Client:
    """A connection to a server, shared by many coroutines; an async context manager."""

    def __init__(
        self,
        endpoint: str,
        base_url: str | None,
        timeout: float,
        connections: int,
        template_variables: Mapping[str, Any],
    ) -> None:
        self._endpoint = endpoint
        self._url = server_address(endpoint, base_url)
        self._timeout = timeout
        self._connections = connections
        self._template_variables = template_variables
        self._token_limit = _LIMIT
        self._left_out: set[str] = set()
        self._session: Any = None

    async def __aenter__(self) -> Self:
        import aiohttp

        key = key_of(self._endpoint) or "none"
        anthropic = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        self._session = aiohttp.ClientSession(
            headers=anthropic if self._endpoint == "messages" else {"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def ask(self, model: str, prompt: str, settings: Settings, alternatives: int = 0) -> Answer:
        """Send one prompt and return the answer, which is empty if a content filter rejected the prompt.

        Args:
            model: The model's name on the server.
            prompt: The prompt, sent as the only user message.
            settings: Generation settings.
            alternatives: Number of likeliest first tokens to return with their log-probabilities.

        Raises:
            Unanswered: If it failed in a way that a retry may fix.
            UserError: If the server refuses the request.
        """
        prompt = encodable(prompt)
        refused = True
        while refused:
            body = self._body(model, prompt, settings, alternatives)
            status, content = await self._post(PATHS[self._endpoint], body)
            refused = status in _REFUSED_STATUSES and self._adapts(body, content)
        if status == 400 and _is_filtered(content):
            return Answer("", "", 0, "filtered", {})
        if status != 200:
            raise UserError(self._refusal(status, content, model, prompt))
        try:
            return self._read(parse_json(content, self._url), settings.stop)
        except _Implausible as error:
            raise Unanswered(f"unreadable response: {error}") from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Unanswered(_unreadable(content)) from None

    async def echo(self, model: str, text: str) -> Echo:
        """Return the tokens of a text and their log-probabilities; completions only, raises like `ask`."""
        text = encodable(text)
        body = {"model": model, "prompt": text, "max_tokens": 1, "echo": True, "logprobs": 1}
        status, content = await self._post(PATHS["completions"], body)
        if status != 200:
            raise UserError(self._refusal(status, content, model, text))
        try:
            response = parse_json(content, self._url)
            found = response["choices"][0]["logprobs"]
            read = slice(-_count(response["usage"]["completion_tokens"]) or None)
            echo = Echo(tuple(found["tokens"][read]), tuple(found["token_logprobs"][read]))
            _check_log_probabilities([value for value in echo.log_probabilities if value is not None])
        except _Implausible as error:
            raise Unanswered(f"unreadable response: {error}") from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Unanswered(_unreadable(content)) from None
        if len(echo.tokens) < 2:
            raise UserError(
                f"{self._url} does not return log-probabilities of the prompt (echo with logprobs), which tasks with "
                "choices need: use a server that does, such as vLLM's"
            )
        return echo

    async def load_adapter(self, name: str, path: str) -> None:
        """Have the server load an adapter from a directory that it can read too (vLLM can, if configured to).

        Raises:
            UserError: If the server can't be reached or refuses.
        """
        try:
            status, content = await self._post("/load_lora_adapter", {"lora_name": name, "lora_path": path})
        except Unanswered as error:
            raise UserError(f"{self._url} can't load an adapter: {error}") from None
        if status != 200 and b"already" not in content:
            raise UserError(
                f"{self._url} does not load '{path}' ({status}: {_message_of(content)}): start vLLM with "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora, or name an adapter that it serves, as in "
                "a=served-name"
            )

    async def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        url = self._url + path
        for _ in range(_MOST_REDIRECTS + 1):
            status, headers, content = await self._post_once(url, body)
            if status not in _REDIRECTS:
                break
            url = redirected(url, headers.get("Location", ""))
        else:
            raise UserError(f"{self._url} redirects more than {_MOST_REDIRECTS} times: check base_url in --model_args")
        if status in _RETRIED_STATUSES or status >= 500:
            why = f"status {status}: {_message_of(content)[:_EXCERPT]}".rstrip(": ")
            raise Unanswered(why, _seconds(headers.get("Retry-After", "")))
        return status, content

    async def _post_once(self, url: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request, without following redirects; return the status, the headers and the content."""
        import aiohttp

        content = bytearray()
        try:
            async with self._session.post(url, json=body, allow_redirects=False) as response:
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > _LARGEST:
                        raise UserError(f"{self._url} sends more than {_LARGEST >> 20} MiB for one answer: refused")
        except TimeoutError:
            raise Unanswered(f"no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unanswered(mask_keys(_connection_error(error))) from None
        return response.status, response.headers, bytes(content)

    def _body(self, model: str, prompt: str, settings: Settings, alternatives: int) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model, self._token_limit: settings.max_new_tokens}
        if not alternatives:  # log-probabilities are those before any temperature, and some models take only one
            body["temperature"] = settings.temperature
        if settings.top_p != 1.0:
            body["top_p"] = settings.top_p
        if sent := self._stops_to_send(settings.stop):
            body["stop_sequences" if self._endpoint == "messages" else "stop"] = sent
        if self._endpoint != "messages":
            body["seed"] = settings.seed
        body = {name: value for name, value in body.items() if name not in self._left_out}
        if not self._left_out.isdisjoint(_PROBING):
            alternatives = 0
        if self._endpoint == "completions":
            return body | {"prompt": prompt} | ({"logprobs": alternatives} if alternatives else {})
        body["messages"] = [{"role": "user", "content": prompt}]
        if self._template_variables and self._endpoint == "chat":
            body["chat_template_kwargs"] = dict(self._template_variables)
        if alternatives and self._endpoint == "chat":
            body |= {"logprobs": True, "top_logprobs": alternatives}
        return body

    def _adapts(self, body: Mapping[str, Any], content: bytes) -> bool:
        """Change what this and all further requests contain, if that is what the server refuses; return whether."""
        unsupported = _names(content, _LIMIT) and _UNSUPPORTED.search(content)
        if _LIMIT in body and (_NEWER_LIMIT.encode() in content or (unsupported and self._endpoint == "chat")):
            self._token_limit = _NEWER_LIMIT
            return True
        assumed = ("temperature",) if body.get("temperature") == 1 else ()  # 1 is what servers assume
        refused = {name for name in (*_OPTIONAL, *assumed) if name in body and _names(content, name)}
        self._left_out |= refused
        return bool(refused)

    def _stops_to_send(self, stop: Sequence[str]) -> list[str]:
        """Return the stop strings that the endpoint accepts; `_read` cuts answers at the others."""
        if self._endpoint == "messages":
            return [each for each in stop if each.strip()]
        return list(stop[:_MOST_STOPS])

    def _read(self, response: Any, stop: Sequence[str]) -> Answer:
        """Return the answer in a response's JSON; raise LookupError, TypeError or AttributeError if there is none."""
        if self._endpoint == "messages":
            written, thought = _joined(response["content"]), _joined(response["content"], "thinking")
            tokens, reason, first = response["usage"]["output_tokens"], response["stop_reason"], {}
        else:
            choice = response["choices"][0]
            written, thought = _chat_texts(choice) if self._endpoint == "chat" else (choice["text"], "")
            tokens = (response.get("usage") or {}).get("completion_tokens", 0)
            reason, first = choice["finish_reason"], _first(choice.get("logprobs") or {})
        _check_log_probabilities(first.values())
        answer = split_answer(mask_keys(written), stop, unopened=True)  # only the server knows its template
        reasoning = mask_keys("\n\n".join(filter(None, (thought.strip(), answer.reasoning))))
        finish = "stop" if answer.stopped else _FINISH.get(reason, "stop")
        return Answer(answer.text, reasoning, 0 if tokens is None else _count(tokens), finish, first)

    def _refusal(self, status: int, content: bytes, model: str, prompt: str) -> str:
        if status in (401, 403):
            return f"{self._url} rejects the key in {key_name(self._endpoint)} (status {status})"
        if status in _REFUSED_STATUSES and _names(content, "temperature"):
            which = "; --gen_kwargs temperature=1 may be what the model takes, but then answers are sampled"
        else:
            which = f"; its prompt begins {' '.join(prompt.split())[:_EXCERPT]!r}" if status == 400 else ""
        return f"{self._url} rejects a request to '{model}' (status {status}): {_message_of(content)}{which}"


def _count(tokens: object) -> int:
    """Return a number of tokens, as a server counts them; raise _Implausible if it can't be one."""
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 0 <= tokens < _MOST_TOKENS:
        raise _Implausible(f"its number of tokens is {str(tokens)[:_EXCERPT]!r}")
    return tokens


def _check_log_probabilities(values: Iterable[object]) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise _Implausible(f"a log-probability is {str(value)[:_EXCERPT]!r}")


def _chat_texts(choice: Mapping[str, Any]) -> tuple[str, str]:
    """Return a chat model's text, or its refusal, and its reasoning.

    The text is empty if the model said nothing, was cut off while it was thinking, or its answer was filtered.
    """
    message = choice["message"]
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    content = message["content"]
    if isinstance(content, list):
        content = _joined(content)
    return content or message.get("refusal") or "", thought if isinstance(thought, str) else ""


def _joined(parts: Sequence[Mapping[str, Any]], kind: str = "text") -> str:
    """Return the text of an answer's parts of this type, which is also the name of their field."""
    return "".join(part[kind] for part in parts if part["type"] == kind)


def _first(logprobs: Mapping[str, Any]) -> dict[str, float]:
    """Return the likeliest first tokens with their log-probabilities, from either endpoint's format."""
    if logprobs.get("content"):
        return {each["token"]: each["logprob"] for each in logprobs["content"][0]["top_logprobs"]}
    return dict(logprobs["top_logprobs"][0]) if logprobs.get("top_logprobs") else {}


def _names(content: bytes, setting: str) -> bool:
    """Whether a server's refusal names a setting, in any of the quotation marks that servers use."""
    return re.search(rf"""['"`]{setting}['"`]""", content.decode("utf-8", "replace")) is not None


def _is_filtered(content: bytes) -> bool:
    """Whether a provider's content filter rejected the prompt, which it reports as a bad request."""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return parse_json(content, "")["error"]["code"] in _FILTERED
    return False


def _unreadable(content: bytes) -> str:
    return f"unreadable response: {_message_of(content)[:_EXCERPT] or 'nothing'}"


def _connection_error(error: Exception) -> str:
    """Describe a connection error, in the operating system's words if it comes from there."""
    cause = getattr(error, "os_error", None)
    return f"no connection: {cause.strerror or cause}" if cause else f"{type(error).__name__}: {error}".rstrip(": ")


def _message_of(content: bytes) -> str:
    """Return a server's message as one line, with API keys and anything that looks like one masked."""
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, LookupError, TypeError):
        text = str(parse_json(text, "")["error"]["message"])
    return " ".join(re.sub(r"\bsk-[\w*-]+", "***", mask_keys(text)).split())[:300]


def _seconds(text: str) -> float:
    """Return the delay of a Retry-After header, given in seconds or as a date (RFC 9110, section 10.2.3)."""
    try:
        asked = float(text)
    except ValueError:
        try:
            asked = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # empty, or a date without a time zone
            return 0.0
    return asked if 0 < asked < math.inf else 0.0
