"""The `api` backend: any OpenAI-compatible server, adapters by model name, and Anthropic's."""

import asyncio
import contextlib
import hashlib
import random
import warnings
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from holdfast.errors import UserError
from holdfast.harness.backends.backend import BackendOptions, Generation, Probe, Request, Settings
from holdfast.harness.backends.engines.api_client import PATHS, Client, Unanswered, address, check_access, key_name
from holdfast.harness.backends.engines.prompting import between, common_start, likeliest
from holdfast.harness.backends.engines.seeds import seed_of
from holdfast.harness.backends.engines.streaming import Put, streamed
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import BASE, find_adapters
from holdfast.suggestions import did_you_mean

MODEL_ARGS = ("model", "base_url", "endpoint", "timeout", "max_retries")

CONCURRENT = 64
"""Requests under way at a time, unless --batch_size says how many."""

RETRIES = 10
"""A request is asked again this often: with the delays below, over more than a minute."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before the first of them, doubled from each to the next, up to the longest."""

PATIENCE = 3
"""After so many attempts the user is told what is being waited for."""

ALTERNATIVES = 5
"""Tokens whose log-probabilities are compared when adapters are probed."""


T = TypeVar("T")


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError for an unknown, missing or impossible model argument, or a missing key; asks nothing."""
    for key in model_args:
        if "key" in key or "token" in key:
            raise UserError(
                f"--model_args: keys come from the environment ({key_name('chat')}, {key_name('messages')}), since a "
                "run stores its arguments"
            )
        if key not in MODEL_ARGS:
            raise UserError(f"--model_args: the api backend has no argument '{key}'{did_you_mean(key, MODEL_ARGS)}")
    if not model_args.get("model"):
        raise UserError("--model_args: name the served base model, as in model=base,base_url=http://127.0.0.1:8000/v1")
    endpoint = model_args.get("endpoint", "chat")
    if endpoint not in PATHS:
        raise UserError(f"--model_args: unknown endpoint '{endpoint}'{did_you_mean(endpoint, PATHS)}")
    for name, least in (("timeout", 0.001), ("max_retries", 0)):
        value = model_args.get(name, 1)
        if isinstance(value, (bool, str)) or value < least:
            raise UserError(f"--model_args: {name} must be a number from {least:g} on, not {value!r}")
    check_access(endpoint, model_args.get("base_url"))


def find_served(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """The base and the adapters: directories, which the server is to load, and all else by the names it serves."""
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
    """A server that is asked many requests at once, each again until it is answered."""

    def __init__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        args = options.model_args
        self._endpoint = str(args.get("endpoint", "chat"))
        self._base_url: str | None = args.get("base_url")
        self._timeout = float(args.get("timeout", 60))
        self._retries = int(args.get("max_retries", RETRIES))
        self._concurrent = options.batch_size or CONCURRENT
        self._left = options.max_requests
        self._asked_for = options.max_requests
        self._over = asyncio.Event()
        self._said: set[tuple[str, str]] = set()
        self._base = str(args["model"])
        self._adapters = [adapter for adapter in adapters if adapter.path is not None or adapter.served]
        for adapter in self._adapters:
            if adapter.scale != 1.0:
                raise UserError("--adapter_scales: a server runs adapters as they are; use --model hf or vllm")
        self._models = {BASE: self._base, **{adapter.name: adapter.served or self._base for adapter in adapters}}
        asyncio.run(self._load())

    def probe(self, prompts: Sequence[str]) -> dict[str, Probe]:
        """Compare the first token's log-probabilities with the base's, where the server shows them.

        A server answers in batches that it forms itself: what the base differs by from itself is no effect.
        """
        models = [self._base, self._base, *(self._models[adapter.name] for adapter in self._adapters)]
        rows = asyncio.run(self._first_tokens([(model, prompt) for model in models for prompt in prompts]))
        if not all(rows):
            return {}
        base, again, *others = (rows[i : i + len(prompts)] for i in range(0, len(rows), len(prompts)))
        floor = _largest_change(base, again)
        changes = [_largest_change(base, other) for other in others]
        return {
            adapter.name: Probe(change > floor, change) for adapter, change in zip(self._adapters, changes, strict=True)
        }

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Ask all requests but the `done` ones, many at a time; each answer is handed out when it is there."""
        asked = [request for request in requests if request.key not in done]
        if self._endpoint != "completions" and any(request.choices for request in asked):
            raise UserError(
                "a task with choices compares the log-likelihoods of its answers, which chat endpoints don't give: use "
                "endpoint=completions in --model_args, or --model hf or vllm"
            )
        return streamed(lambda put, stopped: asyncio.run(_until(stopped, self._ask_all(asked, put))))

    def describe(self) -> Mapping[str, Any]:
        return {
            "backend": "api",
            "server": address(self._endpoint, self._base_url),
            "endpoint": self._endpoint,
            "model": self._base,
            "batch_size": self._concurrent,
        }

    def _client(self) -> Client:
        return Client(self._endpoint, self._base_url, self._timeout, self._concurrent)

    async def _load(self) -> None:
        """Have the server load the adapters that are directories, under the names of their weights."""
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
        """Ask until one request fails for good; what is under way then is still answered."""
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
        return Generation(request.key, answer.text, answer.tokens, "stop" if answer.ended else "length")

    async def _choose(self, client: Client, model: str, request: Request) -> Generation:
        """The likeliest choice, by the log-probabilities of its tokens after the prompt's."""
        space = between(request.prompt)
        texts = [request.prompt, *(f"{request.prompt}{space}{choice}" for choice in request.choices)]
        context, *wholes = [await self._retried(model, partial(client.echo, model, text)) for text in texts]
        start = common_start(context.tokens, [whole.tokens for whole in wholes])
        likelihoods = [sum(value or 0.0 for value in whole.log_probabilities[start:]) for whole in wholes]
        return likeliest(request, [len(whole.tokens) - start for whole in wholes], likelihoods)

    async def _retried(self, model: str, ask: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, self._retries + 2):
            self._spend()
            try:
                return await ask()
            except Unanswered as error:
                why, wait = str(error), error.wait
            if attempt > self._retries:
                break
            if attempt == PATIENCE:
                self._say(model, why)
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1))
            if await self._is_over_within(max(wait, delay * random.uniform(0.5, 1.0))):
                break
        raise UserError(
            f"'{model}' gave no answer in {attempt} attempts (last: {why}): what came before is kept, the same command "
            "goes on"
        )

    async def _is_over_within(self, seconds: float) -> bool:
        """Wait, but no longer than until a request has failed for good; whether one has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return self._over.is_set()

    def _say(self, model: str, why: str) -> None:
        """Tell the user what is waited for, each kind of failure once."""
        kind = model, why.partition(":")[0]
        if kind not in self._said:
            self._said.add(kind)
            warnings.warn(f"'{model}' does not answer ({why}): asking again, ever more slowly", stacklevel=2)

    def _spend(self) -> None:
        """Take one request from the budget, if there is one; raises UserError where it is spent."""
        if self._left is None:
            return
        if self._left == 0:
            raise UserError(
                f"--max_requests {self._asked_for} are spent: what came before is kept, the same command goes on with "
                "as many again"
            )
        self._left -= 1


async def _until(stopped: Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or drop it as soon as it is to be stopped."""
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
    """The largest difference between log-probabilities of tokens that both name; infinite where they name no common."""
    changes = [
        abs(one[token] - other[token])
        for one, other in zip(before, after, strict=True)
        for token in one.keys() & other.keys()
    ]
    return max(changes, default=float("inf"))


def _digest(*parts: str) -> str:
    """What stands for the weights of a model that only its server sees: where it is and what it is called."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
