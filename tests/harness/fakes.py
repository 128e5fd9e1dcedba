"""An engine without a model: it answers by rule, in batches, records its requests, and can die half-way."""

from collections.abc import Callable, Collection, Iterator, Sequence

from holdfast.harness.backends import Backend, Generation, Request, backends
from holdfast.harness.backends.backend import BackendEntry, BackendOptions
from holdfast.harness.backends.engines.batching import batches
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import BASE


class Killed(BaseException):
    """Simulates kill -9: nothing catches it."""


class FakeEngine:
    """Answers with the prompt's words and the adapter's name; dies before batch `dies_at`, if given."""

    def __init__(self, adapters: Sequence[Adapter], size: int, dies_at: int | None, rule: "Rule | None") -> None:
        self.adapters = adapters
        self.size = size
        self.dies_at = dies_at
        self.rule = rule or echo_words
        self.batches: list[list[Request]] = []

    def probe(self, prompts: Sequence[str]) -> dict[str, bool]:
        return {a.name: True for a in self.adapters if a.name != BASE}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        for chosen in batches(requests, [len(r.prompt) for r in requests], self.size):
            members = [requests[i] for i in chosen]
            if all(r.key in done for r in members):
                continue
            if len(self.batches) == self.dies_at:
                raise Killed
            self.batches.append(members)
            yield [Generation(r.key, self.rule(r), len(r.prompt.split()), "stop") for r in members if r.key not in done]

    def describe(self) -> dict[str, object]:
        return {"backend": "fake", "batch_size": self.size}


Rule = Callable[[Request], str]


def echo_words(request: Request) -> str:
    words = request.prompt.split()
    return ". ".join([request.adapter, " ".join(words[:6]), " ".join(words[6:])]) + "."


class Fake:
    """A backend builder that keeps the engines it has built."""

    def __init__(self, size: int = 4, dies_at: int | None = None, rule: Rule | None = None) -> None:
        self.size = size
        self.rule = rule
        self.dies_at = dies_at
        self.engines: list[FakeEngine] = []

    def __call__(self, options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
        self.engines.append(FakeEngine(adapters, options.batch_size or self.size, self.dies_at, self.rule))
        return self.engines[-1]

    @property
    def asked(self) -> list[Request]:
        return [request for engine in self.engines for batch in engine.batches for request in batch]


def registered(name: str, rule: Callable[[Request], str]) -> Fake:
    """Register an engine that answers by a rule as the backend of this name, and return it."""
    fake = Fake(rule=rule)
    backends.register(name, BackendEntry(name, fake, lambda arguments: None))
    return fake
