"""The `api` backend: any OpenAI-compatible server, adapters by model name, and Anthropic's."""

import asyncio
import contextlib
import hashlib
import random
import warnings
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from holdfast.errors import UserError
from holdfast.harness.backends.api_access import PATHS, check_access, key_name, server_address
from holdfast.harness.backends.backend import RESUMES, BackendOptions, Generation, Request, Settings
from holdfast.harness.backends.engines.api_client import Client, Unanswered
from holdfast.harness.backends.engines.choices import choose_likeliest, common_prefix_length, separator
from holdfast.harness.backends.engines.seeds import seed_of
from holdfast.harness.backends.engines.streaming import Put, stream
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import BASE, find_adapters
from holdfast.suggestions import did_you_mean

MODEL_ARGS = ("model", "base_url", "endpoint", "timeout", "max_retries")

CONCURRENT = 64
"""Number of concurrent requests, unless --batch_size sets it."""

RETRIES = 10
"""Number of retries of a request; with the delays below, they take more than a minute."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before the first retry, doubled for each further one, up to the longest."""

LONGEST_WAIT = 300.0
"""Maximum seconds to wait if a server asks for more, so that a run doesn't stall for a day."""

PATIENCE = 3
"""Number of failed attempts after which a warning says what the run is waiting for."""

ALTERNATIVES = 5
"""Tokens whose log-probabilities are compared when adapters are probed."""


T = TypeVar("T")


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid, or the key is missing; send nothing."""
    for key in model_args:
        if "key" in key or "token" in key:
            raise UserError(
                f"--model_args: put keys in the environment ({key_name('chat')}, {key_name('messages')}), since a "
                "run stores its arguments"
            )
        if key not in MODEL_ARGS:
            raise UserError(
                f"--model_args: unknown argument '{key}' for the api backend{did_you_mean(key, MODEL_ARGS)}"
            )
    if not model_args.get("model"):
        raise UserError(
            "--model_args: model is missing; name the served base model, as in model=base,base_url=http://127.0.0.1:8000/v1"
        )
    endpoint = str(model_args.get("endpoint", "chat"))
    if endpoint not in PATHS:
        raise UserError(f"--model_args: unknown endpoint '{endpoint}'{did_you_mean(endpoint, PATHS)}")
    for name, least in (("timeout", 0.001), ("max_retries", 0)):
        value = model_args.get(name, 1)
        if isinstance(value, (bool, str)) or not value >= least:
            raise UserError(f"--model_args: {name} must be a number >= {least:g}, got {value!r}")
    check_access(endpoint, model_args.get("base_url"))


def find_served(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """Return the base and the adapters that `--adapters` names.

    Args:
        model_args: The model arguments.
        adapters: Directories, which the server loads, or model names, which it already serves; each alone or as
            `name=where`.

    Raises:
        UserError: If a directory isn't a peft adapter, or two adapters have the same name.
    """
    where = model_args.get("base_url", "")
    base = Adapter(BASE, None, _digest(where, str(model_args["model"])))
    found: list[Adapter] = []
    for spec in adapters:
        name, _, served = spec.rpartition("=")
        if served == BASE or Path(served).is_dir() or Path(spec).is_dir():
            found += find_adapters([spec], base)
        else:
            found.append(Adapter(name or served, None, _digest(where, served), served=served))
    for i, adapter in enumerate(found):
        if adapter.name in {other.name for other in found[:i]}:
            raise UserError(f"two adapters are called '{adapter.name}': rename one, as in other=...")
    return base, found


class Api:
    """A server that gets many requests at once; failed ones are retried."""

    def __init__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        args = options.model_args
        self._endpoint = str(args.get("endpoint", "chat"))
        self._base_url: str | None = args.get("base_url")
        self._timeout = float(args.get("timeout", 60))
        self._retries = int(args.get("max_retries", RETRIES))
        self._concurrent = options.batch_size or CONCURRENT
        self._budget_left = options.max_requests
        self._budget = options.max_requests
        self._over = asyncio.Event()
        self._warned: set[tuple[str, str, str]] = set()
        self._base = str(args["model"])
        self._template_variables = options.chat_template_kwargs
        if self._template_variables and self._endpoint != "chat":
            raise UserError(f"--chat_template_kwargs has no effect with endpoint={self._endpoint}: use endpoint=chat")
        self._adapters = [adapter for adapter in adapters if adapter.path is not None or adapter.served]
        for adapter in self._adapters:
            if adapter.scale != 1.0:
                raise UserError("--adapter_scales: a server can't scale adapters; use --model hf or vllm")
        self._models = {BASE: self._base, **{adapter.name: adapter.served or self._base for adapter in adapters}}
        _run(self._load())

    def probe(self, prompts: Sequence[str]) -> dict[str, bool]:
        """Compare the first token's log-probabilities with the base's, if the server returns them.

        Servers form their own batches, so even the base's values vary: only a larger change counts as an effect.
        """
        models = [self._base, self._base, *(self._models[adapter.name] for adapter in self._adapters)]
        rows = _run(self._first_tokens([(model, prompt) for model in models for prompt in prompts]))
        if not all(rows):
            return {}
        base, again, *others = (rows[i : i + len(prompts)] for i in range(0, len(rows), len(prompts)))
        floor = _largest_change(base, again)
        changes = [_largest_change(base, other) for other in others]
        return {adapter.name: change > floor for adapter, change in zip(self._adapters, changes, strict=True)}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Send all requests except the `done` ones, many at a time, and yield answers as they arrive.

        Raises:
            UserError: If a request fails for good, the budget is spent, or the endpoint can't rank choices.
        """
        asked = [request for request in requests if request.key not in done]
        if self._endpoint != "completions" and any(request.choices for request in asked):
            raise UserError(
                "a task with choices needs the log-likelihoods of its choices, which chat endpoints don't return: use "
                "endpoint=completions in --model_args, or --model hf or vllm"
            )
        return stream(lambda put, stopped: asyncio.run(_until(stopped, self._ask_all(asked, put))))

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the server."""
        return {
            "backend": "api",
            "server": server_address(self._endpoint, self._base_url),
            "endpoint": self._endpoint,
            "model": self._base,
            "batch_size": self._concurrent,
        }

    def _client(self) -> Client:
        return Client(self._endpoint, self._base_url, self._timeout, self._concurrent, self._template_variables)

    async def _load(self) -> None:
        """Have the server load the adapters that are directories, named by the digest of their weights."""
        async with self._client() as client:
            for adapter in self._adapters:
                if adapter.path is not None:
                    name = f"holdfast-{adapter.digest[:32]}"
                    await client.load_adapter(name, str(adapter.path.resolve()))
                    self._models[adapter.name] = name

    async def _first_tokens(self, rows: Sequence[tuple[str, str]]) -> list[Mapping[str, float]]:
        self._over = asyncio.Event()
        async with self._client() as client:
            settings = Settings(max_new_tokens=1)
            answers = [
                await self._retried(model, partial(client.ask, model, prompt, settings, ALTERNATIVES))
                for model, prompt in rows
            ]
        return [answer.first for answer in answers]

    async def _ask_all(self, requests: Sequence[Request], put: Put) -> None:
        """Send requests until one fails for good; those already sent are still answered."""
        feed, failures = iter(requests), list[UserError]()
        self._over = asyncio.Event()

        async def work(client: Client) -> None:
            for request in feed:
                try:
                    put(await self._answer(client, request))
                except UserError as error:
                    failures.append(error)
                    self._over.set()
                if self._over.is_set():
                    return

        async with self._client() as client:
            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(min(self._concurrent, len(requests))):
                        workers.create_task(work(client))
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
        if failures:
            raise failures[0]

    async def _answer(self, client: Client, request: Request) -> Generation:
        model = self._models[request.adapter]
        if request.choices:
            return await self._choose(client, model, request)
        settings = replace(request.settings, seed=seed_of([request], 31))
        answer = await self._retried(model, partial(client.ask, model, request.prompt, settings))
        return Generation(request.key, answer.text, answer.tokens, answer.finish, reasoning=answer.reasoning)

    async def _choose(self, client: Client, model: str, request: Request) -> Generation:
        """Return the choice whose tokens have the highest log-probability after the prompt."""
        space = separator(request.prompt, request)
        texts = [request.prompt, *(f"{request.prompt}{space}{choice}" for choice in request.choices)]
        context, *wholes = [await self._retried(model, partial(client.echo, model, text)) for text in texts]
        start = common_prefix_length(context.tokens, [whole.tokens for whole in wholes])
        likelihoods = [sum(value or 0.0 for value in whole.log_probabilities[start:]) for whole in wholes]
        return choose_likeliest(request, [len(whole.tokens) - start for whole in wholes], likelihoods)

    async def _retried(self, model: str, ask: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, self._retries + 2):
            self._spend()
            try:
                return await ask()
            except Unanswered as error:
                why, wait = str(error), error.wait
            if attempt > self._retries:
                break
            if wait > LONGEST_DELAY:
                granted = min(wait, LONGEST_WAIT)
                self._warn_once(model, why, f"it asks for {wait:.0f} s, so the next attempt is in {granted:.0f} s")
            elif attempt == PATIENCE:
                self._warn_once(model, why, "retrying with increasing delays")
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
            if await self._is_over_within(max(min(wait, LONGEST_WAIT), delay)):
                break
        raise UserError(f"'{model}' did not answer in {attempt} attempts (last: {why}): {RESUMES}")

    async def _is_over_within(self, seconds: float) -> bool:
        """Wait, and return whether a request has failed for good meanwhile, which ends the waiting."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return self._over.is_set()

    def _warn_once(self, model: str, why: str, then: str) -> None:
        """Warn that the server doesn't answer and what follows, once for each kind of failure."""
        kind = model, why.partition(":")[0], then.partition(" ")[0]
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(f"'{model}' does not answer ({why}): {then}", stacklevel=2)

    def _spend(self) -> None:
        """Take one request from the budget, if there is one; raise UserError if it is spent."""
        if self._budget_left is None:
            return
        if self._budget_left == 0:
            raise UserError(f"--max_requests {self._budget} is used up: {RESUMES} with as many requests again")
        self._budget_left -= 1


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, in a thread of its own if this one is running a loop already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _until(stopped: Event, work: Coroutine[Any, Any, None]) -> None:
    """Await the work, or cancel it as soon as `stopped` is set."""
    working = asyncio.create_task(work)
    watching = asyncio.ensure_future(asyncio.to_thread(stopped.wait))
    both: set[asyncio.Future[Any]] = {working, watching}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        stopped.set()


def _largest_change(before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> float:
    """Return the largest difference between log-probabilities of common tokens; infinity if there are none."""
    changes = [
        abs(one[token] - other[token])
        for one, other in zip(before, after, strict=True)
        for token in one.keys() & other.keys()
    ]
    return max(changes, default=float("inf"))


def _digest(*parts: str) -> str:
    """Return a digest of a served model's address and name, which stand in for its weights."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
