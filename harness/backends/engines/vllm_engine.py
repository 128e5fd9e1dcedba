"""The `vllm` backend: the base and all adapters in one engine, in one pass, results as they finish."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import Generation, Probe, Request, Settings
from holdfast.harness.backends.engines.prompting import Choices
from holdfast.harness.backends.engines.seeds import seed_of
from holdfast.harness.backends.engines.streaming import Put, streamed
from holdfast.harness.backends.engines.vllm_loading import Loaded
from holdfast.harness.models.adapter import Adapter

if TYPE_CHECKING:
    from holdfast.harness.backends.engines.prompting import Tokens

IN_FLIGHT = 8192
"""Requests that the engine holds at a time: more than it can run together, so that it never waits for one."""

TOP = 20
"""Tokens whose log-probabilities are compared when adapters are probed; vLLM gives no more unless told to."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt of token ids for the engine; equal ones share the prefix cache unless their `salt` differs."""

    key: str
    ids: Tokens
    params: Any
    lora: Any
    salt: str | None


class VLLM:
    """One engine with its adapters, generating continuously."""

    def __init__(self, loaded: Loaded, adapters: Sequence[Adapter]) -> None:
        self._loaded = loaded
        self._engine = loaded.engine
        self._adapters = adapters
        self._probed = 0

    def probe(self, prompts: Sequence[str]) -> dict[str, Probe]:
        """Compare the next token's log-probabilities, row by row, in a batch of all adapters and the same all base.

        Both batches have the same rows at the same places, so that nothing but the adapters can differ between them.
        Raises UserError where a base row of the mixed batch takes on what an adapter does.
        """
        tokens, _ = self._loaded.prompting.encoded(prompts, Settings(max_new_tokens=1))
        contestants = [None, *(adapter.name for adapter in self._adapters if adapter.path is not None)]
        rows = [(name, ids) for name in contestants for ids in tokens]
        alone = self._next_tokens([(None, ids) for _, ids in rows])
        mixed = self._next_tokens(rows)
        changes: dict[str | None, float] = dict.fromkeys(contestants, 0.0)
        for (name, _), before, after in zip(rows, alone, mixed, strict=True):
            if not all(map(math.isfinite, after.values())):
                raise UserError(f"adapter '{name}' gives no numbers (NaN or infinity): its training diverged")
            changes[name] = max(changes[name], _largest_change(before, after))
        leaked = changes.pop(None)
        effects = [change for change in changes.values() if change > 0]
        if effects and leaked >= min(effects) / 2 and any(adapter.path is None for adapter in self._adapters):
            raise UserError(
                f"this vLLM gives prompts of the base the output of an adapter that shares their batch (its "
                f"log-probabilities move by {leaked:.3g}): use another version of vLLM, or leave out the adapter 'base'"
            )
        return {str(name): Probe(change > 0, change) for name, change in changes.items()}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer all requests but the `done` ones at once; each is handed out soon after it is finished.

        Requests of one adapter stand together, and within it prompts that begin alike, for the sake of the prefix
        cache. Repetitions on purpose don't share it with what they repeat.
        """
        place = {adapter.name: i for i, adapter in enumerate(self._adapters)}
        asked = sorted((r for r in requests if r.key not in done), key=lambda r: (place.get(r.adapter, 0), r.prompt))
        return streamed(lambda put, stopped: self._produce(asked, put, stopped))

    def describe(self) -> Mapping[str, Any]:
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
            "chat_template": self._loaded.prompting.chat,
            "max_length": self._loaded.prompting.max_length,
        }

    def _produce(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        self._write([request for request in asked if not request.choices], put, stopped)
        self._choose([request for request in asked if request.choices], put, stopped)

    def _write(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        """Generate an answer to each request."""
        cut: dict[str, tuple[Request, bool]] = {}

        def jobs() -> Iterator[Job]:
            for request, (ids, truncated) in zip(asked, self._loaded.prompting.encoded_requests(asked), strict=True):
                cut[request.key] = request, truncated
                salt = f"again {request.replicate}" if request.replicate else None
                yield Job(request.key, ids, _sampling(request), self._loaded.loras[request.adapter], salt)

        for job, result in self._worked_off(jobs(), IN_FLIGHT, stopped):
            put(self._generation(result, *cut.pop(job.key)))

    def _choose(self, asked: Sequence[Request], put: Put, stopped: Event) -> None:
        """Choose an answer to each request, by the log-probabilities that vLLM gives of a prompt's own tokens."""
        import torch
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        open_requests: dict[str, tuple[Request, Choices, dict[str, float]]] = {}

        def jobs() -> Iterator[Job]:
            for request in asked:
                choices = self._loaded.prompting.choices(request)
                open_requests[request.key] = request, choices, {}
                for i, row in enumerate(choices.rows):
                    yield Job(f"{i} {request.key}", row, params, self._loaded.loras[request.adapter], None)

        # On CPU vLLM crashes on more than one such prompt at a time beside LoRA (0.32).
        window = IN_FLIGHT if torch.cuda.is_available() else 1
        for job, result in self._worked_off(jobs(), window, stopped):
            place, _, key = job.key.partition(" ")
            request, choices, found = open_requests[key]
            found[place] = _log_likelihood(result.prompt_logprobs, job.ids, choices.start)
            if len(found) == len(choices.rows):
                put(choices.likeliest(request, [found[str(i)] for i in range(len(found))]))
                del open_requests[key]

    def _worked_off(self, jobs: Iterator[Job], window: int, stopped: Event) -> Iterator[tuple[Job, Any]]:
        """Each job with what the engine makes of it, as they finish, at most `window` of them at a time."""
        running: dict[str, Job] = {}
        try:
            while not stopped.is_set():
                while len(running) < window and (job := next(jobs, None)):
                    running[job.key] = job
                    prompt = {"prompt_token_ids": job.ids.tolist()} | ({"cache_salt": job.salt} if job.salt else {})
                    self._engine.add_request(job.key, prompt, job.params, lora_request=job.lora)
                if not running:
                    break
                for result in self._step():
                    yield running.pop(result.request_id), result
        finally:
            self._engine.abort_request(list(running))

    def _generation(self, result: Any, request: Request, truncated: bool) -> Generation:
        """Decoded from its tokens as the hf backend does it: vLLM's own text holds broken characters back."""
        answer = result.outputs[0]
        ended = answer.finish_reason == "stop"
        by_token = ended and not isinstance(answer.stop_reason, str)  # an end-of-text token is no part of the answer
        ids = list(answer.token_ids)[: -1 if by_token else None]
        output, _ = self._loaded.prompting.decoded(ids, request.settings.stop)
        return Generation(request.key, output, len(ids), "stop" if ended else "length", truncated)

    def _step(self) -> list[Any]:
        """Let the engine work once; what it has finished."""
        try:
            return [result for result in self._engine.step() if result.finished]
        except Exception as error:  # vLLM raises whatever its parts raise
            raise UserError(
                f"vLLM stopped ({type(error).__name__}: {first_line(error)}): the answers so far are kept; the same "
                "command goes on (where it is memory, with another max_model_len or --batch_size)"
            ) from error

    def _next_tokens(self, rows: Sequence[tuple[str | None, Tokens]]) -> list[dict[int, float]]:
        """For each (adapter, prompt), the most probable next tokens with their log-probabilities; nothing is cached."""
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, logprobs=TOP, detokenize=False)
        self._probed += 1
        jobs = (
            Job(str(i), ids, params, self._loaded.loras[name] if name else None, f"probe {self._probed} {i}")
            for i, (name, ids) in enumerate(rows)
        )
        results = {job.key: result for job, result in self._worked_off(jobs, IN_FLIGHT, Event())}
        firsts = [results[str(i)].outputs[0].logprobs[0] for i in range(len(rows))]
        return [{token: each.logprob for token, each in first.items()} for first in firsts]


def _sampling(request: Request) -> Any:
    from vllm import SamplingParams

    settings = request.settings
    return SamplingParams(
        max_tokens=settings.max_new_tokens,
        stop=list(settings.stop) or None,
        detokenize=bool(settings.stop),
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=seed_of([request], 56) if settings.temperature > 0 else None,
    )


def _log_likelihood(by_place: Sequence[Any], ids: Tokens, start: int) -> float:
    return float(sum(by_place[i][int(ids[i])].logprob for i in range(start, len(ids))))


def _largest_change(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """The largest difference between two heads of distributions; what is in one only is at most the other's least."""
    least_before, least_after = min(before.values()), min(after.values())
    return max(abs(before.get(t, least_before) - after.get(t, least_after)) for t in before.keys() | after.keys())
