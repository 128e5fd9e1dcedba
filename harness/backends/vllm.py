"""The `vllm` backend: the base and all adapters in one engine, in one pass, results as they finish."""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from threading import Event
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends.prompting import Tokens
from holdfast.harness.backends.registry import backend
from holdfast.harness.backends.streaming import Put, streamed
from holdfast.harness.backends.types import Adapter, Backend, BackendOptions, Generation, Probe, Request, Settings
from holdfast.harness.backends.vllm_loading import Loaded, check_args, load

IN_FLIGHT = 8192
"""Requests that the engine holds at a time: more than it can run together, so that it never waits for one."""

TOP = 20
"""Tokens whose log-probabilities are compared when adapters are probed; vLLM gives no more unless told to."""


@backend("vllm", check_args)
def vllm(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """vLLM in process, on GPU or CPU: all adapters of a run in one engine."""
    return VLLM(load(options, adapters), adapters)


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
        feed = zip(asked, self._loaded.prompting.encoded_requests(asked), strict=True)
        running: dict[str, tuple[Request, bool]] = {}
        try:
            while not stopped.is_set():
                while len(running) < IN_FLIGHT and (following := next(feed, None)):
                    request, (ids, truncated) = following
                    running[request.key] = request, truncated
                    self._add(request, ids)
                if not running:
                    break
                for result in self._step():
                    put(self._generation(result, *running.pop(result.request_id)))
        finally:
            self._engine.abort_request(list(running))

    def _add(self, request: Request, ids: Tokens) -> None:
        from vllm import SamplingParams

        settings = request.settings
        params = SamplingParams(
            max_tokens=settings.max_new_tokens,
            stop=list(settings.stop) or None,
            detokenize=bool(settings.stop),
            temperature=settings.temperature,
            top_p=settings.top_p,
            seed=_seed(request) if settings.temperature > 0 else None,
        )
        salt = f"again {request.replicate}" if request.replicate else None
        self._submit(request.key, ids, params, self._loaded.loras.get(request.adapter), salt)

    def _submit(self, key: str, ids: Tokens, params: Any, lora: Any, salt: str | None) -> None:
        prompt = {"prompt_token_ids": ids.tolist()} | ({"cache_salt": salt} if salt else {})
        self._engine.add_request(key, prompt, params, lora_request=lora)

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
        except (RuntimeError, MemoryError) as error:
            raise UserError(
                f"vLLM stopped ({type(error).__name__}: {error}): the answers so far are kept; the same command goes "
                "on (where it is memory, with another max_model_len or --batch_size)"
            ) from error

    def _next_tokens(self, rows: Sequence[tuple[str | None, Tokens]]) -> list[dict[int, float]]:
        """For each (adapter, prompt), the most probable next tokens with their log-probabilities; nothing is cached."""
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, logprobs=TOP, detokenize=False)
        self._probed += 1
        for i, (name, ids) in enumerate(rows):
            lora = self._loaded.loras[name] if name else None
            self._submit(str(i), ids, params, lora, f"probe {self._probed} {i}")
        found: dict[str, dict[int, float]] = {}
        while len(found) < len(rows):
            for result in self._step():
                first = result.outputs[0].logprobs[0]
                found[result.request_id] = {token: each.logprob for token, each in first.items()}
        return [found[str(i)] for i in range(len(rows))]


def _largest_change(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """The largest difference between two heads of distributions; what is in one only is at most the other's least."""
    least_before, least_after = min(before.values()), min(after.values())
    return max(abs(before.get(t, least_before) - after.get(t, least_after)) for t in before.keys() | after.keys())


def _seed(request: Request) -> int:
    """A sampled answer depends on its request alone, whatever is generated beside it."""
    text = f"{request.settings.seed}|{request.key}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())
