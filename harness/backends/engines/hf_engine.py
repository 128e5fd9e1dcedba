"""The `hf` backend: transformers and peft; the base is loaded once and adapters are switched in place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import (
    AttentionQuery,
    Generation,
    Request,
)
from holdfast.harness.backends.engines.batching import batches
from holdfast.harness.backends.engines.choices import CHOICE, encode_choices
from holdfast.harness.backends.engines.hf_attention import attention_shares
from holdfast.harness.backends.engines.hf_choices import log_likelihoods
from holdfast.harness.backends.engines.hf_generation import FiniteLogits, StopStrings, generation_config
from holdfast.harness.backends.engines.hf_loading import ROUNDING, Loaded, described
from holdfast.harness.backends.engines.hf_memory import AdaptiveBatches
from holdfast.harness.backends.engines.hf_mixed import mixed
from holdfast.harness.backends.engines.prompting import Prompt, Prompting
from holdfast.harness.backends.engines.seeds import seed_of
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import BASE

if TYPE_CHECKING:
    import numpy as np

    from holdfast.harness.backends.engines.hf_attention import Shares
    from holdfast.harness.backends.engines.prompting import Tokens

    Vectors = np.ndarray[Any, np.dtype[np.float32]]

AUTO_BATCH = {"cpu": 64, "cuda": 256}
"""Batch size for `--batch_size auto`, by device; a batch that doesn't fit into memory is split."""


class HuggingFace:
    """One base model with its adapters, generating batch by batch."""

    def __init__(self, loaded: Loaded, adapters: Sequence[Adapter], batch_size: int | None) -> None:
        self._loaded = loaded
        self._adapters = adapters
        self._names = {BASE: None, **{adapter.name: loaded.peft_names.get(adapter.name) for adapter in adapters}}
        self._scales = {adapter.name: adapter.scale for adapter in adapters}
        self._size = batch_size or AUTO_BATCH.get(loaded.model.device.type, 64)
        self._batches = AdaptiveBatches(self._size, loaded.model.device)

    def probe(self, prompts: Sequence[str]) -> dict[str, bool]:
        """Compare the next token's logits with each adapter on and off.

        Raises:
            UserError: If the base's or an adapter's logits contain NaN or infinity.
        """
        import torch

        effects = {}
        tokens, _ = self._loaded.prompting.encode([Prompt(prompt) for prompt in prompts], 1)
        batch = self._padded(tokens)
        with torch.inference_mode():
            with self._active(None):
                base = self._logits(batch)
            if not base.isfinite().all():
                raise UserError(
                    f"the base gives NaN or infinite logits in {self.describe()['dtype']}: use another dtype in "
                    "--model_args, or another checkpoint"
                )
            for adapter in self._adapters:
                if adapter.path is not None:
                    with self._active(adapter.name):
                        mine = self._logits(batch)
                        width = min(mine.shape[1], base.shape[1])  # an adapter may have more or fewer tokens
                        change = (mine[:, :width] - base[:, :width]).abs().max().item()
                    if not math.isfinite(change):
                        raise UserError(f"adapter '{adapter.name}' produces NaN or infinity: its training diverged")
                    effects[adapter.name] = change > 0
        return effects

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer batch by batch; a batch is skipped if all its keys are in `done`, else generated completely."""
        encoded = list(self._loaded.promptings.encode_requests(requests))
        tokens = [ids for ids, _ in encoded]
        for chosen in batches(requests, [len(ids) for ids in tokens], self._size, self._mixed_adapters):
            if all(requests[i].key in done for i in chosen):
                continue
            answers = self._answers([tokens[i] for i in chosen], [requests[i] for i in chosen])
            yield [
                replace(answer, truncated=answer.truncated or (encoded[i][1] and self._uses_encoded_prompt(answer)))
                for answer, i in zip(answers, chosen, strict=True)
                if answer.key not in done
            ]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed n texts as (n, d) float32: the base's last hidden states, averaged over the tokens of each text."""
        import numpy as np

        model, prompting = self._loaded.model, replace(self._loaded.prompting, template=None)
        rows, _ = prompting.encode([Prompt(text or " ") for text in texts], 0)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        vectors: Vectors = np.zeros((len(rows), model.config.get_text_config().hidden_size), dtype=np.float32)
        with self._active(None):
            means = self._batches.map(order, lambda chosen: [*self._mean_states([rows[i] for i in chosen])])
            for i, mean in zip(order, means, strict=True):
                vectors[i] = mean
        return vectors

    def attention(self, query: AttentionQuery) -> Shares | None:
        """Return the attention from each segment of an answer to each segment of its prompt's content.

        See `hf_attention.attention_shares` for shape and units.
        """
        with self._active(query.adapter):
            return attention_shares(self._loaded, query)

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the engine."""
        return {
            **described(self._loaded.model),
            "batch_size": self._size,
            **self._loaded.promptings.describe(),
            **(
                {"ignored_generation_config": dropped}
                if (dropped := dict(self._loaded.ignored_generation_config))
                else {}
            ),
        }

    @cached_property
    def _mixed_adapters(self) -> frozenset[str]:
        """The adapters that share batches: all mixable ones, if mixing reproduces their logits on a test prompt."""
        import torch

        names = sorted(self._loaded.mixable)
        if len(names) < 2:
            return frozenset()
        [row], _ = self._loaded.prompting.encode([Prompt("Who are you?")], 1)
        with torch.inference_mode():
            alone = []
            for name in names:
                with self._active(name):
                    alone.append(self._logits(self._padded([row])))
            try:
                with mixed(self._loaded.model, [self._names[name] or "" for name in names]):
                    together = self._logits(self._padded([row] * len(names)))
            except (ValueError, RuntimeError):
                return frozenset()
        expected = torch.cat(alone)
        apart = torch.pdist(expected, p=math.inf)
        smallest = apart[apart > 0].min().item() if (apart > 0).any() else 0.0
        agree = (together - expected).abs().max().item() <= max(ROUNDING, smallest / 2)
        return frozenset(names) if agree else frozenset()

    def _padded(self, rows: Sequence[Tokens], *, left: bool = False) -> dict[str, Any]:
        """Return token ids and mask, padded on the right, so that no position depends on the other rows.

        Only `generate` needs a causal model's prompts padded on the left, and derives the positions itself.
        """
        import numpy as np
        import torch

        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._loaded.tokenizer.pad_token_id, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for i, row in enumerate(rows):
            place = slice(width - len(row), width) if left else slice(0, len(row))
            ids[i, place], mask[i, place] = row, 1
        device = self._loaded.model.device
        return {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }

    def _answers(self, rows: Sequence[Tokens], requests: Sequence[Request]) -> list[Generation]:
        def answers(chosen: Sequence[int]) -> list[Generation]:
            some, asked = [rows[i] for i in chosen], [requests[i] for i in chosen]
            return self._chosen(some, asked) if asked[0].choices else self._generated(some, asked)

        return list(self._batches.map(range(len(rows)), answers))

    def _mean_states(self, rows: Sequence[Tokens]) -> Vectors:
        """Return the last hidden states below the model's head, averaged over each row's tokens: (len(rows), d)."""
        import torch

        model = self._loaded.model
        whole = model.get_base_model() if self._loaded.peft_names else model
        body = whole.get_encoder() if self._loaded.prompting.seq2seq else whole.base_model
        batch = self._padded(rows)
        with torch.inference_mode():
            states = body(**batch).last_hidden_state.float()
        mask = batch["attention_mask"].unsqueeze(-1)
        means: Vectors = ((states * mask).sum(1) / mask.sum(1)).cpu().numpy()
        return means

    def _uses_encoded_prompt(self, answer: Generation) -> bool:
        """Whether the prompt was used as encoded; a causal model encodes it again with each choice."""
        return answer.finish != CHOICE or self._loaded.prompting.seq2seq

    def _chosen(self, rows: Sequence[Tokens], requests: Sequence[Request]) -> list[Generation]:
        found = [encode_choices(self._loaded.promptings.of(request.adapter), request) for request in requests]
        prompts = [row for row, choices in zip(rows, found, strict=True) for _ in choices.rows]
        asked = [(row, choices.start) for choices in found for row in choices.rows]
        counts = [len(choices.rows) for choices in found]
        seq2seq = self._loaded.prompting.seq2seq
        with self._routed(requests, counts) as routes:
            values = iter(log_likelihoods(self._loaded, asked, prompts if seq2seq else None, routes, self._batches))
        return [
            choices.choose(request, [next(values) for _ in choices.rows])
            for request, choices in zip(requests, found, strict=True)
        ]

    def _generated(self, rows: Sequence[Tokens], requests: Sequence[Request]) -> list[Generation]:
        import torch

        settings, prompting = requests[0].settings, self._loaded.promptings.of(requests[0].adapter)
        if settings.temperature > 0:
            torch.manual_seed(seed_of(requests, 56))
        batch = self._padded(rows, left=not prompting.seq2seq)
        skipped = 1 if prompting.seq2seq else batch["input_ids"].shape[1]
        finite = FiniteLogits()
        stop = prompting.stops(settings.stop)
        config = generation_config(self._loaded.model.generation_config, settings, prompting.ends(stop))
        stops = [StopStrings(prompting, stop, skipped)] if stop else []
        with torch.inference_mode(), self._routed(requests) as routes, mixed(self._loaded.model, routes):
            produced = self._loaded.model.generate(
                **batch, generation_config=config, logits_processor=[finite], stopping_criteria=stops
            )
        if broken := finite.rows():
            first = requests[broken[0]]
            raise UserError(
                f"'{first.adapter}' gives NaN or infinite logits for a prompt that begins {first.prompt[:60]!r}: use "
                "another dtype in --model_args, or leave it out"
            )
        ends = frozenset(config.eos_token_id or ())
        return [
            _generation(request.key, row, prompting, stop, ends)
            for request, row in zip(requests, produced[:, skipped:].tolist(), strict=True)
        ]

    def _logits(self, batch: dict[str, Any]) -> Any:
        """Return the logits of the next token of each row, (rows, vocabulary)."""
        if self._loaded.prompting.seq2seq:
            start = batch["input_ids"][:, :1] * 0 + self._loaded.prompting.decoder_start
            return self._loaded.model(**batch, decoder_input_ids=start).logits[:, -1].float()
        last = batch["attention_mask"].sum(1) - 1
        logits = self._loaded.model(**batch).logits
        return logits[range(len(last)), last].float()

    @contextmanager
    def _routed(self, requests: Sequence[Request], rows: Sequence[int] | None = None) -> Iterator[list[str] | None]:
        """Activate the requests' adapter within the block; if they have several, yield peft's name for each row.

        `rows` is the number of rows of each request (default: one).
        """
        if len({request.adapter for request in requests}) == 1:
            with self._active(requests[0].adapter):
                yield None
            return
        names = [self._names[request.adapter] or "" for request in requests]
        yield [name for name, count in zip(names, rows or [1] * len(names), strict=True) for _ in range(count)]

    @contextmanager
    def _active(self, adapter: str | None) -> Iterator[None]:
        """Activate this adapter within the block; None and the base mean no adapter."""
        name = self._names[adapter] if adapter else None
        if name is not None:
            self._loaded.model.set_adapter(name)
            with _scaled(self._loaded.model, name, self._scales[str(adapter)]):
                yield
        elif self._loaded.peft_names:
            with self._loaded.model.disable_adapter():
                yield
        else:
            yield


@contextmanager
def _scaled(model: Any, name: str, scale: float) -> Iterator[None]:
    """Multiply this adapter's update by `scale` within the block."""
    if scale == 1.0:
        yield
        return
    modules = [module for module in model.modules() if hasattr(module, "lora_A") and name in module.scaling]
    before = [module.scaling[name] for module in modules]
    for module in modules:
        module.scaling[name] *= scale
    try:
        yield
    finally:
        for module, value in zip(modules, before, strict=True):
            module.scaling[name] = value


def _generation(
    key: str, row: Sequence[int], prompting: Prompting, stop: Sequence[str], ends: Collection[int]
) -> Generation:
    """Return the answer in a row of new tokens: its text, its number of tokens, and why it ended."""
    end = next((i for i, token in enumerate(row) if token in ends), None)
    answer, tokens = prompting.decode(row[:end], stop)
    finish = "stop" if end is not None or answer.stopped else "length"
    return Generation(key, answer.text, tokens, finish, reasoning=answer.reasoning, margins=answer.margins)
