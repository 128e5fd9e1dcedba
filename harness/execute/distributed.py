"""`--distributed ray`: distribute a run's requests over replicas of its engine, each an actor on a Ray cluster."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import RESUMES, Backend, BackendOptions, Build, Generation, Request
from holdfast.harness.execute.ray_cluster import RESTARTS, plain_errors, start_actors
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.config import RunConfig

CHUNK = 256
"""Number of requests that a replica gets at a time, and that are repeated if it dies."""

WAITING = 2
"""Number of chunks assigned to a replica: the one it works on and the next."""


def on_ray(config: RunConfig, build: Build) -> Build:
    """Return a builder that distributes the engine over Ray if `config` says so, else `build` itself."""
    if config.distributed is None:
        return build
    return lambda options, adapters: Replicas(config, build, options, adapters)


class Replica:
    """An engine in its own process, built on first use, and again after a restart."""

    def __init__(self, build: Build, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        self._build = partial(build, options, adapters)

    @cached_property
    def _engine(self) -> Backend:
        return self._build()

    def probe(self, prompts: Sequence[str]) -> Mapping[str, bool]:
        return self._engine.probe(prompts)

    def describe(self) -> Mapping[str, Any]:
        return self._engine.describe()

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        return [generation for batch in self._engine.generate(requests) for generation in batch]


class Replicas:
    """The run's backend on the driver, which sends chunks of requests to whichever replica is free."""

    def __init__(self, config: RunConfig, build: Build, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        self._count = config.replicas
        self._replicas = start_actors(
            config.ray_address,
            Replica,
            config.replicas,
            (build, options, adapters),
            num_cpus=1,
            num_gpus=config.gpus_per_replica,
        )
        self._place = {adapter.name: i for i, adapter in enumerate(adapters)}

    def probe(self, prompts: Sequence[str]) -> Mapping[str, bool]:
        """Probe one replica; all have the same weights."""
        effects: Mapping[str, bool] = self._call_one("probe", prompts)
        return effects

    def describe(self) -> Mapping[str, Any]:
        """Return what run.json records about the engine, and the number of replicas."""
        return {**self._call_one("describe"), "distributed": "ray", "replicas": self._count}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer all requests except the `done` ones, chunk by chunk; chunks of a dead replica go to others.

        Raises:
            UserError: If every replica has died too often.
        """
        import ray
        from ray.exceptions import RayActorError

        asked = sorted((r for r in requests if r.key not in done), key=lambda r: self._place[r.adapter])
        chunks = deque(asked[i : i + CHUNK] for i in range(0, len(asked), CHUNK))
        room = deque([*self._replicas] * WAITING)
        running: dict[Any, tuple[Any, list[Request]]] = {}
        while chunks or running:
            while chunks and room:
                replica, chunk = room.popleft(), chunks.popleft()
                running[replica.generate.remote(chunk)] = replica, chunk
            if not running:
                raise UserError(
                    f"every replica died more than {RESTARTS} times: {RESUMES} (see Ray's log for the cause)"
                )
            [ready], _ = ray.wait(list(running), num_returns=1)
            replica, chunk = running.pop(ready)
            try:
                with plain_errors():
                    answers = ray.get(ready)
            except RayActorError:
                chunks.appendleft(chunk)
                room = deque(each for each in room if each is not replica)
                continue
            room.append(replica)
            yield answers

    def _call_one(self, method: str, *arguments: Any) -> Any:
        import ray
        from ray.exceptions import RayActorError

        try:
            with plain_errors():
                return ray.get(getattr(self._replicas[0], method).remote(*arguments))
        except RayActorError as error:
            raise UserError(f"a replica died before the run began: {first_line(error)}") from None
