"""The encoders of a run, including `model`: the hidden states of the evaluated model itself."""

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
from holdfast.tasks import Task, limited

_CENTRED_ON = 256
"""Number of texts whose mean vector is subtracted."""

Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Embedding(Protocol):
    """A backend that can return hidden states."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) for n texts: the base model's last hidden states, averaged over each text's tokens."""
        ...


def run_encoding(config: RunConfig, tasks: Sequence[Task], engine: Any = None) -> Encoding:
    """Return the encoders that `config` names.

    Hidden states of language models all point in similar directions, so those of `model` are centred on their mean
    over the clean contents of the tasks, which is the same for every run on these tasks.

    Args:
        config: The run's configuration.
        tasks: The tasks whose contents define the centre.
        engine: The engine that `model` uses; if None, the run's base model is loaded when needed.

    Raises:
        UserError: If an encoder can't be loaded, or the backend can't return hidden states.
    """

    def load(name: str) -> Encode:
        if name != MODEL:
            return load_encoder(name)
        contents = [sample.content for task in tasks for sample in limited(task, config.limit)]
        return _centred_encoder((engine or _base_engine(config)), config.model, contents[:_CENTRED_ON])

    return encoding_of(config.encoder, load)


def _centred_encoder(engine: Any, backend: str, contents: Sequence[str]) -> Callable[[Sequence[str]], Vectors]:
    if not hasattr(engine, "embed"):
        raise UserError(f"--encoder model: the backend '{backend}' can't return hidden states; use --model hf")
    states: Embedding = engine
    centre = states.embed(contents).mean(0)

    def encode(texts: Sequence[str]) -> Vectors:
        """Encode n texts as (n, d), rows of length one."""
        rows = states.embed(texts) - centre
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        return unit

    return encode


def _base_engine(config: RunConfig) -> Any:
    entry = backends.get(config.model)
    base, _ = entry.find(config.model_args, [])
    return entry.build(BackendOptions(config.model_args, None, config.device), [base])
