"""The backend protocol (requests in, generations out) and the registry of backends."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from holdfast.harness.models.adapter import Adapter
from holdfast.registry import Registry

RESUMES = "answers so far are kept; the same command resumes the run"
"""How a message ends if an engine fails in the middle of a run."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Generation settings; decoding is greedy if `temperature` is 0."""

    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt for one adapter."""

    key: str
    adapter: str
    """The adapter's name."""
    prompt: str
    settings: Settings
    replicate: int = 0
    """0, or the number of this repetition of an earlier request, made to measure noise: engines generate repetitions
    in different batches than the original."""
    choices: tuple[str, ...] = ()
    """If given, nothing is generated: the answer is the choice with the highest log-likelihood."""
    content: str = ""
    """The part of the prompt that is cut if the prompt is too long; if empty, the whole prompt may be cut."""
    pair: str = ""
    """The second text of a classifier's input, if its task compares two; language models read it in the prompt."""
    joined: bool = False
    """Whether choices follow the prompt as they are, with no space put between."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to the request with this key."""

    key: str
    output: str
    tokens: int
    finish: str
    """"stop" (ended by the model or a stop string), "length", "filtered" (by the server) or "choice"."""
    truncated: bool = False
    """Whether the prompt's content was cut because it didn't fit."""
    likelihoods: tuple[float, ...] = ()
    """Log-likelihoods (nats, summed over tokens) of the request's choices, in order."""
    reasoning: str = ""
    """What the model thought aloud before the answer."""
    margins: tuple[str, str] = ("", "")
    """The white space before and after the answer, which `output` lacks."""


@dataclass(frozen=True, slots=True)
class AttentionQuery:
    """A prompt and an answer, and the spans (in characters) of each between which to measure attention."""

    adapter: str
    prompt: str
    content: str
    """The part of the prompt that `content_spans` refer to."""
    content_spans: tuple[tuple[int, int], ...]
    output: str
    output_spans: tuple[tuple[int, int], ...]


class Backend(Protocol):
    """An engine with its base model loaded and its adapters ready."""

    def probe(self, prompts: Sequence[str]) -> Mapping[str, bool]:
        """Return, by adapter name without the base, whether it changes at least one logit on these prompts."""
        ...

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer the requests, batch by batch, in any order; requests whose keys are in `done` may be left out.

        Batches are formed over *all* requests, so that a resumed run pads and rounds like an uninterrupted one.
        """
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the engine: versions, device, dtype, batch size."""
        ...


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """The options that a backend is built with."""

    model_args: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None
    """None means that the backend chooses (`--batch_size auto`)."""
    device: str | None = None
    max_requests: int | None = None
    """Maximum number of requests to send to a server; None means no limit."""
    clock: datetime | None = None
    """The time that chat templates read; None means now."""
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Variables for the chat template, such as enable_thinking."""


Build = Callable[[BackendOptions, Sequence[Adapter]], Backend]
Check = Callable[[Mapping[str, Any]], None]
Find = Callable[[Mapping[str, Any], Sequence[str]], tuple[Adapter, list[Adapter]]]


def find_files(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """Return the base that `pretrained` names and the adapters that `--adapters` names, all of them directories."""
    from holdfast.harness.models.checkpoints import find_adapters, find_base  # which imports this package

    base = find_base(str(model_args.get("pretrained", "")))
    return base, find_adapters(adapters, base)


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """A registered backend."""

    name: str
    build: Build
    """`build(options, adapters)` loads the backend."""
    check: Check
    """`check(model_args)` raises UserError if they are invalid; it loads nothing."""
    find: Find = find_files
    """`find(model_args, adapters)` returns the base and the adapters that `--adapters` names."""
    incidental_args: tuple[str, ...] = ()
    """Model arguments that no answer depends on: a run may be resumed with different ones."""
    incidental: tuple[str, ...] = ()
    """Settings that no answer depends on: a run may be resumed with different ones."""


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
    """Register the decorated builder as a backend; `holdfast ls backends` shows the first line of its docstring.

    Args:
        name: The name for `--model`.
        check: Raises UserError if the model arguments are invalid.
        find: Finds the base and the adapters; by default both are directories.
        incidental_args: Model arguments that no answer depends on, so that a run may be resumed with different ones.
        incidental: Settings that no answer depends on.
    """

    def register(build: B) -> B:
        backends.register(name, BackendEntry(name, build, check, find, incidental_args, incidental))
        return build

    return register
