"""The `hf` backend: transformers and peft, the base loaded once, adapters switched in place."""

import copy
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.backends.batching import batches
from holdfast.harness.backends.hf_loading import Loaded, load
from holdfast.harness.backends.registry import backend
from holdfast.harness.backends.types import (
    Adapter,
    Backend,
    BackendOptions,
    Generation,
    Probe,
    Request,
    Settings,
)

AUTO_BATCH = {"cpu": 64, "cuda": 256}
"""`--batch_size auto` starts here; memory may halve it."""

Tokens = np.ndarray[Any, np.dtype[np.int32]]


@backend("hf")
def hf(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """transformers and peft, on CPU or GPU: any causal or seq2seq checkpoint."""
    return HuggingFace(load(options, adapters), adapters, options.batch_size)


class HuggingFace:
    """One base model with its adapters, generating batch by batch."""

    def __init__(self, loaded: Loaded, adapters: Sequence[Adapter], batch_size: int | None) -> None:
        self._loaded = loaded
        self._adapters = adapters
        self._size = batch_size or AUTO_BATCH.get(loaded.model.device.type, 64)

    def probe(self, prompts: Sequence[str]) -> dict[str, Probe]:
        """Compare the logits of the last position with the adapter on and off."""
        import torch

        probes = {}
        tokens, _ = self._encode(prompts, Settings(max_new_tokens=1))
        batch = self._padded(tokens)
        with torch.inference_mode():
            with self._active(None):
                base = self._logits(batch)
            for adapter in self._adapters:
                if adapter.path is not None:
                    with self._active(adapter.name):
                        change = (self._logits(batch) - base).abs().max().item()
                    probes[adapter.name] = Probe(change > 0.0, change)
        return probes

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer batch by batch; a batch whose every key is in `done` is skipped, any other is generated whole."""
        tokens: list[Tokens] = []
        truncated: list[bool] = []
        for request in _runs(requests):
            encoded, cut = self._encode([r.prompt for r in request], request[0].settings)
            tokens += encoded
            truncated += cut
        for chosen in batches(requests, [len(ids) for ids in tokens], self._size):
            if all(requests[i].key in done for i in chosen):
                continue
            members = [requests[i] for i in chosen]
            with self._active(members[0].adapter):
                answers = self._answers([tokens[i] for i in chosen], members[0].settings, _seed(members))
            yield [
                Generation(request.key, output, count, finish, truncated[i])
                for request, (output, count, finish), i in zip(members, answers, chosen, strict=True)
                if request.key not in done
            ]

    def describe(self) -> Mapping[str, Any]:
        import peft
        import torch
        import transformers

        model = self._loaded.model
        return {
            "backend": "hf",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
            "device": str(model.device),
            "device_name": torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
            "dtype": str(model.dtype).removeprefix("torch."),
            "batch_size": self._size,
            "chat_template": self._loaded.chat,
            "max_length": self._loaded.max_length,
        }

    def _encode(self, prompts: Sequence[str], settings: Settings) -> tuple[list[Tokens], list[bool]]:
        """Token ids of each prompt in its chat template, and whether its beginning had to be cut to fit."""
        tokenizer, chat = self._loaded.tokenizer, self._loaded.chat
        texts = [text.encode("utf-8", "replace").decode() for text in prompts]  # tokenizers refuse lone surrogates
        if chat:
            texts = [
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
                )
                for text in texts
            ]
        room = self._loaded.max_length - (0 if self._loaded.seq2seq else settings.max_new_tokens)
        if room < 1:
            raise UserError(
                f"max_new_tokens {settings.max_new_tokens} leaves no room for a prompt: the model holds "
                f"{self._loaded.max_length} tokens; lower it with --gen_kwargs max_new_tokens=N"
            )
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.pad_token_id
        ids = tokenizer(texts, add_special_tokens=not chat, verbose=False)["input_ids"]
        side = slice(0, room) if self._loaded.seq2seq else slice(-room, None)
        return (
            [np.asarray(row[side] or [start], dtype=np.int32) for row in ids],
            [len(row) > room for row in ids],
        )

    def _padded(self, rows: Sequence[Tokens]) -> dict[str, Any]:
        import torch

        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._loaded.tokenizer.pad_token_id, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for i, row in enumerate(rows):
            place = slice(0, len(row)) if self._loaded.seq2seq else slice(width - len(row), width)
            ids[i, place], mask[i, place] = row, 1
        device = self._loaded.model.device
        return {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }

    def _answers(self, rows: Sequence[Tokens], settings: Settings, seed: int) -> list[tuple[str, int, str]]:
        import torch

        if settings.temperature > 0:
            torch.manual_seed(seed)
        extra = {"tokenizer": self._loaded.tokenizer} if settings.stop else {}
        batch = self._padded(rows)
        try:
            with torch.inference_mode():
                produced = self._loaded.model.generate(**batch, generation_config=self._config(settings), **extra)
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise UserError(
                    f"out of memory on {self._loaded.model.device} with a single prompt of {len(rows[0])} tokens: "
                    "use a smaller dtype, a shorter max_length or another device"
                ) from None
            torch.cuda.empty_cache()
            half = len(rows) // 2
            return [*self._answers(rows[:half], settings, seed), *self._answers(rows[half:], settings, seed)]
        skipped = 1 if self._loaded.seq2seq else batch["input_ids"].shape[1]
        return [self._decoded(row, settings) for row in produced[:, skipped:].tolist()]

    def _decoded(self, row: list[int], settings: Settings) -> tuple[str, int, str]:
        ends = self._ends()
        stop = next((i for i, token in enumerate(row) if token in ends), None)
        kept = row if stop is None else row[:stop]
        output = self._loaded.tokenizer.decode(kept, skip_special_tokens=True)
        cuts = [at for at in (output.find(mark) for mark in settings.stop) if at >= 0]
        if cuts:
            output = output[: min(cuts)]
        finish = "stop" if stop is not None or cuts else "length"
        return output.strip(), len(kept), finish

    def _ends(self) -> set[int]:
        ids = self._loaded.model.generation_config.eos_token_id
        return {*(ids if isinstance(ids, list) else [ids]), self._loaded.tokenizer.eos_token_id}

    def _config(self, settings: Settings) -> Any:
        """The checkpoint's generation config, its special tokens kept, its taste in sampling not."""
        config = copy.deepcopy(self._loaded.model.generation_config)
        sampling = settings.temperature > 0
        config.update(
            max_length=None,
            max_new_tokens=settings.max_new_tokens,
            do_sample=sampling,
            temperature=settings.temperature if sampling else None,
            top_p=settings.top_p if sampling else None,
            top_k=None,
            num_beams=1,
            stop_strings=list(settings.stop) or None,
            repetition_penalty=None,
            pad_token_id=self._loaded.tokenizer.pad_token_id,
            eos_token_id=sorted(end for end in self._ends() if end is not None) or None,
        )
        return config

    def _logits(self, batch: dict[str, Any]) -> Any:
        if self._loaded.seq2seq:
            start = self._loaded.model.config.decoder_start_token_id or 0
            batch = {**batch, "decoder_input_ids": batch["input_ids"][:, :1] * 0 + start}
        return self._loaded.model(**batch).logits[:, -1].float()

    @contextmanager
    def _active(self, adapter: str | None) -> Iterator[None]:
        """Within the block, this adapter is on, or none where it is the base."""
        name = self._loaded.peft_names.get(adapter) if adapter else None
        if name is not None:
            self._loaded.model.set_adapter(name)
            yield
        elif self._loaded.peft_names:
            with self._loaded.model.disable_adapter():
                yield
        else:
            yield


def _runs(requests: Sequence[Request], size: int = 1024) -> Iterator[Sequence[Request]]:
    """Stretches of requests with the same settings, short enough to tokenize at once."""
    start = 0
    for i in range(1, len(requests) + 1):
        if i == len(requests) or requests[i].settings != requests[start].settings or i - start == size:
            yield requests[start:i]
            start = i


def _seed(members: Sequence[Request]) -> int:
    """Sampling repeats from the batch's content, whatever was generated before it."""
    text = "|".join([str(members[0].settings.seed), *(request.key for request in members)])
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=7).digest())
