"""Sequence classifiers in the backend `hf`: the base is loaded once, adapters and their heads switched in place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Generation, Request, Settings
from holdfast.harness.backends.engines.batching import batches
from holdfast.harness.backends.engines.choices import choose_likeliest
from holdfast.harness.backends.engines.classifying.classifier_loading import LoadedClassifier
from holdfast.harness.backends.engines.hf_engine import AUTO_BATCH
from holdfast.harness.backends.engines.hf_loading import described
from holdfast.harness.backends.engines.hf_memory import AdaptiveBatches
from holdfast.harness.models.adapter import Adapter
from holdfast.language.text import encodable

Encoded = dict[str, list[int]]
"""The model's inputs for a text."""


class Classifier:
    """One base model with its adapters, classifying batch by batch."""

    def __init__(self, loaded: LoadedClassifier, adapters: Sequence[Adapter], batch_size: int | None) -> None:
        self._loaded, self._adapters = loaded, adapters
        device = loaded.model.device
        self._size = batch_size or AUTO_BATCH.get(device.type, 64)
        self._batches = AdaptiveBatches(self._size, device)

    def probe(self, prompts: Sequence[str]) -> dict[str, bool]:
        """Compare the logits with each adapter on and off.

        Raises:
            UserError: If an adapter's logits contain NaN or infinity.
        """
        asked = [Request("", "", prompt, Settings()) for prompt in prompts]
        rows = [encoded for encoded, _ in self._encoded(asked)]
        with self._active(None):
            base = self._logits(rows)
        effects = {}
        for adapter in self._adapters:
            if adapter.path is not None:
                with self._active(adapter.name):
                    change = (self._logits(rows) - base).abs().max().item()
                if not math.isfinite(change):
                    raise UserError(f"adapter '{adapter.name}' produces NaN or infinity: its training diverged")
                effects[adapter.name] = change > 0
        return effects

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Choose a class for each request, batch by batch.

        Likelihoods are log-probabilities of the classes, in the order of the request's choices.
        """
        encoded = list(self._encoded(requests))
        for chosen in batches(requests, [len(row["input_ids"]) for row, _ in encoded], self._size):
            if all(requests[i].key in done for i in chosen):
                continue
            with self._active(requests[chosen[0]].adapter):
                logits = list(self._batches.map([encoded[i][0] for i in chosen], self._logits))
            answers = [
                self._answer(requests[i], row.log_softmax(-1).tolist(), encoded[i][1])
                for i, row in zip(chosen, logits, strict=True)
            ]
            yield [answer for answer in answers if answer.key not in done]

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the engine."""
        return {
            **described(self._loaded.model),
            "batch_size": self._size,
            "classes": {name: list(classes) for name, classes in self._loaded.classes.items()},
            **self._loaded.promptings.describe(),
        }

    def _answer(self, request: Request, likelihoods: Sequence[float], truncated: bool) -> Generation:
        by_name = dict(zip(self._loaded.classes[request.adapter], likelihoods, strict=True))
        ordered = [by_name[choice] for choice in request.choices]
        return choose_likeliest(request, [1] * len(ordered), ordered, truncated)

    def _encoded(self, requests: Sequence[Request]) -> Iterator[tuple[Encoded, bool]]:
        """Yield the inputs for each request's text (and its second one), and whether its end was cut to fit."""
        for request in requests:
            prompting = self._loaded.promptings.of(request.adapter)
            texts = prompting.render([request.prompt])
            if request.pair:
                texts.append(encodable(request.pair))  # as `render` does
            special = prompting.template is None
            row = prompting.tokenizer(*texts, add_special_tokens=special, verbose=False)
            too_long = len(row["input_ids"]) > prompting.max_length
            if too_long:
                limit = {"truncation": True, "max_length": prompting.max_length}
                row = prompting.tokenizer(*texts, add_special_tokens=special, **limit)
            if not row["input_ids"]:
                row = {"input_ids": [prompting.start_token], "attention_mask": [1]}
            yield dict(row), too_long

    def _logits(self, rows: Sequence[Encoded]) -> Any:
        """Return the logits of the classes (rows, classes); texts are padded on the right."""
        import torch

        model = self._loaded.model
        pad = self._loaded.promptings.base.tokenizer.pad
        batch = pad(list(rows), padding_side="right", return_tensors="pt").to(model.device)
        with torch.inference_mode():
            return model(**batch).logits.float()

    @contextmanager
    def _active(self, adapter: str | None) -> Iterator[None]:
        """Activate this adapter and its head within the block; None and the base mean no adapter."""
        name = self._loaded.peft_names.get(adapter or "")
        if name is not None:
            self._loaded.model.set_adapter(name)
            yield
        elif self._loaded.peft_names:
            with self._loaded.model.disable_adapter():
                yield
        else:
            yield
