"""Requests in, generations out: all that the runner knows of an engine."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Adapter:
    """One contestant: the base model alone (`path` None) or a peft directory on top of it.

    `digest` is the SHA-256 of the adapter's weights and configuration, of the base's for the base.
    """

    name: str
    path: Path | None
    digest: str
    scale: float = 1.0
    """What its update is multiplied with."""
    served: str = ""
    """What a server calls it, where it is no directory of ours."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an answer is generated. Greedy where `temperature` is 0."""

    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One rendered prompt for one adapter (by name).

    `replicate` is 0, or counts the times that an equal request is made again on purpose, to measure noise: an engine
    generates those in other batches than the first. Where there are `choices` nothing is generated: the likeliest of
    them is the answer.
    """

    key: str
    adapter: str
    prompt: str
    settings: Settings
    replicate: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to the request with this key.

    `finish` is "stop" (the model or a stop string ended it), "length" or "choice"; `truncated` says that the prompt did
    not fit and lost its beginning. `likelihoods` are the log-likelihoods (nats, summed over tokens) of the request's
    choices, in their order.
    """

    key: str
    output: str
    tokens: int
    finish: str
    truncated: bool = False
    likelihoods: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a backend found out about an adapter before the run: does it change anything at all?"""

    has_effect: bool
    largest_logit_change: float


@dataclass(frozen=True, slots=True)
class Attended:
    """A prompt and an answer to it: whose attention to look at, between which spans (characters) of either."""

    adapter: str
    prompt: str
    content: str
    """The part of the prompt that `content_spans` are about."""
    content_spans: tuple[tuple[int, int], ...]
    output: str
    output_spans: tuple[tuple[int, int], ...]


class Backend(Protocol):
    """An engine with its base model loaded and its adapters ready."""

    def probe(self, prompts: Sequence[str]) -> Mapping[str, Probe]:
        """By adapter name (the base left out): whether it changes at least one logit on these prompts."""
        ...

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer the requests, batch by batch, in any order; requests whose keys are in `done` may be left out.

        Batches are formed over *all* requests, so that a resumed run pads and rounds as an uninterrupted one does.
        """
        ...

    def describe(self) -> Mapping[str, Any]:
        """What run.json says of the engine: versions, device, dtype, batch size."""
        ...


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What the command line hands to a backend's builder."""

    model_args: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None
    """None chooses one (`auto`)."""
    device: str | None = None
    max_requests: int | None = None
    """How many requests may be sent to a server."""
