"""The `vllm` backend: the base and all adapters in one engine; answers are yielded as they finish."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import RESUMES, Generation, Request
from holdfast.harness.backends.engines.choices import Choices, encode_choices
from holdfast.harness.backends.engines.prompting import Prompt
from holdfast.harness.backends.engines.seeds import seed_of
from holdfast.harness.backends.engines.streaming import Put, stream
from holdfast.harness.backends.engines.vllm_loading import Loaded
from holdfast.harness.models.adapter import Adapter

if TYPE_CHECKING:
    from holdfast.harness.backends.engines.prompting import Tokens

IN_FLIGHT = 8192
"""Number of requests that the engine holds: more than it can run at once, so that it never idles."""

TOP = 20
"""Tokens whose log-probabilities are compared when adapters are probed; vLLM's default maximum."""


@dataclass(frozen=True, slots=True)
class Job:
    """A tokenized prompt for the engine; equal prompts share the prefix cache unless their `salt` differs."""

    key: str
    ids: Tokens
    params: Any
    lora: Any
    salt: str | None
    written: int = 0
    """Number of tokens at the end of `ids` that are the beginning of the answer."""


class VLLM:
    """One vLLM engine with its adapters, which batches requests continuously."""

    def __init__(self, loaded: Loaded, adapters: Sequence[Adapter]) -> None:
        self._loaded = loaded
        self._engine = loaded.engine
        self._adapters = adapters
        self._probed = 0

    def probe(self, prompts: Sequence[str]) -> dict[str, bool]:
        """Compare the next token's log-probabilities, row by row, between a batch of all adapters and an all-base one.

        Both batches have the same prompts in the same rows, so that only the adapters can make a difference.

        Raises:
            UserError: If an adapter produces NaN or infinity, or changes the base's rows of the mixed batch.
        """
        tokens, _ = self._loaded.promptings.base.encode([Prompt(prompt) for prompt in prompts], 1)
        names = [None, *(adapter.name for adapter in self._adapters if adapter.path is not None)]
        rows = [(name, ids) for name in names for ids in tokens]
        alone = self._next_tokens([(None, ids) for _, ids in rows])
        mixed = self._next_tokens(rows)
        changes: dict[str | None, float] = dict.fromkeys(names, 0.0)
        for (name, _), before, after in zip(rows, alone, mixed, strict=True):
            if not all(map(math.isfinite, before.values())):
                raise UserError("the base produces NaN or infinity: use another dtype in --model_args, or another base")
            if not all(map(math.isfinite, after.values())):
                raise UserError(f"adapter '{name}' produces NaN or infinity: its training diverged")
            changes[name] = max(changes[name], _largest_change(before, after))
        leaked = changes.pop(None)
        effects = [change for change in changes.values() if change > 0]
        if effects and leaked >= min(effects) / 2 and any(adapter.path is None for adapter in self._adapters):
            raise UserError(
                f"this version of vLLM applies adapters to prompts of the base in the same batch (log-probabilities "
                f"change by {leaked:.3g}): use another version of vLLM, or leave out the adapter 'base'"
            )
        return {str(name): change > 0 for name, change in changes.items()}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer all requests except the `done` ones, and yield answers soon after they finish.

        Requests are sorted by adapter and prompt, to make the most of the prefix cache. Repetitions don't share it with
        the original.
        """
        place = {adapter.name: i for i, adapter in enumerate(self._adapters)}
        asked = sorted((r for r in requests if r.key not in done), key=lambda r: (place.get(r.adapter, 0), r.prompt))
        return stream(lambda put, stopped: self._produce(asked, put, stopped))

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the engine."""
        import torch
        import vllm

        config = self._engine.vllm_config
        cuda = torch.cuda.is_available()
        return {
            "backend": "vllm",
            "torch": torch.__version__,
            "vllm": vllm.__version__,
            "device_name": torch.cuda.get_device_name() if cuda else "cpu",
            "dtype": str(config.model_config.dtype).removeprefix("torch."),
            "batch_size": config.scheduler_config.max_num_seqs,
            "max_loras": config.lora_config.max_loras if config.lora_config else 0,
            "max_lora_rank": config.lora_config.max_lora_rank if config.lora_config else 0,
            "prefix_caching": config.cache_config.enable_prefix_caching,
            **self._loaded.promptings.describe(),
            **({"ignored_generation_config": dropped} if (dropped := self._loaded.ignored_generation_config) else {}),
        }

    def _produce(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        self._write([request for request in asked if not request.choices], put, stopped)
        self._choose([request for request in asked if request.choices], put, stopped)

    def _write(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        """Generate an answer to each request."""
        waiting: dict[str, tuple[Request, bool]] = {}

        def jobs() -> Iterator[Job]:
            for request, (ids, truncated) in zip(asked, self._loaded.promptings.encode_requests(asked), strict=True):
                waiting[request.key] = request, truncated
                salt = f"again {request.replicate}" if request.replicate else None
                yield Job(request.key, ids, self._sampling(request), self._loaded.loras[request.adapter], salt)

        started, unfinished = jobs(), deque[Job]()
        for job, result in self._run_jobs(
            lambda: unfinished.popleft() if unfinished else next(started, None), IN_FLIGHT, stopped
        ):
            request, truncated = waiting[job.key]
            found = result.outputs[0]
            written = [*job.ids[len(job.ids) - job.written :].tolist(), *found.token_ids]
            answer = self._generation(found, written, request, truncated)
            stopped_early = found.finish_reason == "stop" and answer.finish == "length"  # in the model's reasoning
            if stopped_early and len(written) < request.settings.max_new_tokens:
                unfinished.append(self._continued(job, written, request))
            else:
                del waiting[job.key]
                put(answer)

    def _continued(self, job: Job, written: Sequence[int], request: Request) -> Job:
        """Return the job that goes on after the tokens written so far."""
        import numpy as np

        prompt = job.ids[: len(job.ids) - job.written]
        ids = np.concatenate([prompt, np.asarray(written, dtype=prompt.dtype)])
        return replace(job, ids=ids, params=self._sampling(request, len(written)), written=len(written))

    def _choose(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        """Choose an answer to each request by the log-probabilities that vLLM returns for prompt tokens."""
        import torch
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        open_requests: dict[str, tuple[Request, Choices, dict[str, float]]] = {}

        def jobs() -> Iterator[Job]:
            for request in asked:
                choices = encode_choices(self._loaded.promptings.of(request.adapter), request)
                open_requests[request.key] = request, choices, {}
                for i, row in enumerate(choices.rows):
                    yield Job(f"{i} {request.key}", row, params, self._loaded.loras[request.adapter], None)

        # On CPU, vLLM 0.32 with LoRA crashes on more than one such prompt at a time.
        window = IN_FLIGHT if torch.cuda.is_available() else 1
        for job, result in self._run_jobs(partial(next, jobs(), None), window, stopped):
            place, _, key = job.key.partition(" ")
            request, choices, found = open_requests[key]
            found[place] = _log_likelihood(result.prompt_logprobs, job.ids, choices.start)
            if len(found) == len(choices.rows):
                put(choices.choose(request, [found[str(i)] for i in range(len(found))]))
                del open_requests[key]

    def _run_jobs(self, next_job: Callable[[], Job | None], window: int, stopped: Event) -> Iterator[tuple[Job, Any]]:
        """Run jobs, at most `window` at a time, until there is no next; yield each with its result as it finishes."""
        running: dict[str, Job] = {}
        try:
            while not stopped.is_set():
                while len(running) < window and (job := next_job()):
                    running[job.key] = job
                    prompt = {"prompt_token_ids": job.ids.tolist()} | ({"cache_salt": job.salt} if job.salt else {})
                    self._engine.add_request(job.key, prompt, job.params, lora_request=job.lora)
                if not running:
                    break
                for result in self._step():
                    yield running.pop(result.request_id), result
        finally:
            self._engine.abort_request(list(running))

    def _generation(self, found: Any, written: Sequence[int], request: Request, truncated: bool) -> Generation:
        """Decode the answer's tokens like the hf backend does; vLLM's own text drops incomplete characters."""
        by_token = found.finish_reason == "stop" and not isinstance(found.stop_reason, str)
        ids = written[: -1 if by_token else None]  # the end-of-text token isn't part of the answer
        prompting = self._loaded.promptings.of(request.adapter)
        answer, tokens = prompting.decode(ids, prompting.stops(request.settings.stop))
        finish = "stop" if by_token or answer.stopped else "length"
        return Generation(request.key, answer.text, tokens, finish, truncated, (), answer.reasoning, answer.margins)

    def _sampling(self, request: Request, written: int = 0) -> Any:
        """Return vLLM's parameters for a request of whose answer some tokens are already written."""
        from vllm import SamplingParams

        settings, prompting = request.settings, self._loaded.promptings.of(request.adapter)
        stop = prompting.stops(settings.stop)
        return SamplingParams(
            max_tokens=settings.max_new_tokens - written,
            stop=list(stop) or None,
            stop_token_ids=sorted(prompting.ends(stop)) or None,
            detokenize=bool(stop),
            skip_special_tokens=False,
            temperature=settings.temperature,
            top_p=settings.top_p,
            seed=seed_of([request], 56) + written if settings.temperature > 0 else None,
        )

    def _step(self) -> list[Any]:
        """Run one step of the engine, and return the finished results."""
        try:
            return [result for result in self._engine.step() if result.finished]
        except Exception as error:  # vLLM can raise anything
            raise UserError(
                f"vLLM stopped ({type(error).__name__}: {first_line(error)}): {RESUMES} (if out of memory, with a "
                "lower max_model_len or --batch_size)"
            ) from error

    def _next_tokens(self, rows: Sequence[tuple[str | None, Tokens]]) -> list[dict[int, float]]:
        """Return the likeliest next tokens with their log-probabilities for each (adapter, prompt), without caching."""
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, logprobs=TOP, detokenize=False)
        self._probed += 1
        jobs = (
            Job(str(i), ids, params, self._loaded.loras[name] if name else None, f"probe {self._probed} {i}")
            for i, (name, ids) in enumerate(rows)
        )
        results = {job.key: result for job, result in self._run_jobs(partial(next, jobs, None), IN_FLIGHT, Event())}
        firsts = [results[str(i)].outputs[0].logprobs[0] for i in range(len(rows))]
        return [{token: each.logprob for token, each in first.items()} for first in firsts]


def _log_likelihood(by_place: Sequence[Any], ids: Tokens, start: int) -> float:
    return float(sum(by_place[i][int(ids[i])].logprob for i in range(start, len(ids))))


def _largest_change(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return the largest difference between two lists of likeliest tokens; a missing one counts as the least likely."""
    least_before, least_after = min(before.values()), min(after.values())
    return max(abs(before.get(t, least_before) - after.get(t, least_after)) for t in before.keys() | after.keys())
