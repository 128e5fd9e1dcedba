"""What a backend is: requests in, generations out; and the registry of backends."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from holdfast.harness.models.adapter import Adapter
from holdfast.registry import Registry


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


Build = Callable[[BackendOptions, Sequence[Adapter]], Backend]
Check = Callable[[Mapping[str, Any]], None]
Find = Callable[[Mapping[str, Any], Sequence[str]], tuple[Adapter, list[Adapter]]]


def find_files(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """The base and the adapters as directories: what `pretrained` and `--adapters` name."""
    from holdfast.harness.models.checkpoints import find_adapters, find_base  # which needs this package's types

    base = find_base(str(model_args.get("pretrained", "")))
    return base, find_adapters(adapters, base)


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """A registered backend: `build(options, adapters)` loads it, `check(model_args)` raises UserError beforehand, and
    `find(model_args, adapters)` tells what the base is and what `--adapters` names. A run may be resumed with other
    model arguments where they are `incidental_args`, and other settings where they are `incidental`: no answer depends
    on them."""

    name: str
    build: Build
    check: Check
    find: Find = find_files
    incidental_args: tuple[str, ...] = ()
    incidental: tuple[str, ...] = ()


backends: Registry[BackendEntry] = Registry("backends", "holdfast.harness.backends")

B = TypeVar("B", bound=Build)


def backend(
    name: str,
    check: Check,
    find: Find = find_files,
    *,
    incidental_args: tuple[str, ...] = (),
    incidental: tuple[str, ...] = (),
) -> Callable[[B], B]:
    """Register a builder under `name`; its docstring's first line is what `holdfast ls backends` shows."""

    def register(build: B) -> B:
        backends.register(name, BackendEntry(name, build, check, find, incidental_args, incidental))
        return build

    return register
