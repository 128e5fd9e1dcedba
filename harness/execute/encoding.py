"""The encoders of a run, `model` among them: the evaluated model's own hidden states."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.store.config import RunConfig
from holdfast.metrics import Encode
from holdfast.metrics.encoders.encoder import Encoding, encoding_of, load_encoder
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.tasks import Task

_CENTRED_ON = 256
"""Texts whose mean vector is the centre."""

Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Embedding(Protocol):
    """A backend that can show its hidden states."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """n texts -> (n, d): the base model's last hidden states, averaged over each text's tokens."""
        ...


def run_encoding(config: RunConfig, tasks: Sequence[Task], engine: Any = None) -> Encoding:
    """The encoders that `config` names; `model` is `engine`, or the run's base model loaded for it.

    Hidden states of language models all point the same way, so `model` is centred: on the mean over the clean
    contents of `tasks`, which every run over them has in common.
    """

    def load(name: str) -> Encode:
        if name != MODEL:
            return load_encoder(name)
        contents = [sample.content for task in tasks for sample in task.samples[: config.limit]]
        return _centred((engine or _base_engine(config)), config.model, contents[:_CENTRED_ON])

    return encoding_of(config.encoder, load)


def _centred(engine: Any, backend: str, contents: Sequence[str]) -> Callable[[Sequence[str]], Vectors]:
    if not hasattr(engine, "embed"):
        raise UserError(f"--encoder model: the backend '{backend}' does not show its hidden states; use --model hf")
    states: Embedding = engine
    centre = states.embed(contents).mean(0)

    def encode(texts: Sequence[str]) -> Vectors:
        """n texts -> (n, d), rows of length one."""
        rows = states.embed(texts) - centre
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        return unit

    return encode


def _base_engine(config: RunConfig) -> Any:
    entry = backends.get(config.model)
    base, _ = entry.find(config.model_args, [])
    return entry.build(BackendOptions(config.model_args, None, config.device), [base])
