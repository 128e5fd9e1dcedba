"""`--distributed ray`: the requests of a run shared out over replicas of its engine, each an actor on a Ray cluster."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import Backend, BackendOptions, Build, Generation, Probe, Request
from holdfast.harness.execute.ray_cluster import RESTARTS, actors, plain_errors
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.config import RunConfig

CHUNK = 256
"""Requests that a replica is handed together, and that are asked again if it dies."""

WAITING = 2
"""Chunks that a replica has before it: the one it works on and the next."""


def on_ray(config: RunConfig, build: Build) -> Build:
    """What builds the engines of a run on a Ray cluster, where the run wants that; `build` itself where it does not."""
    if config.distributed is None:
        return build
    return lambda options, adapters: Replicas(config, build, options, adapters)


class Replica:
    """An engine in a process of its own, built when it is first asked, and again after a restart."""

    def __init__(self, build: Build, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        self._build = partial(build, options, adapters)

    @cached_property
    def _engine(self) -> Backend:
        return self._build()

    def probe(self, prompts: Sequence[str]) -> Mapping[str, Probe]:
        return self._engine.probe(prompts)

    def describe(self) -> Mapping[str, Any]:
        return self._engine.describe()

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        return [generation for batch in self._engine.generate(requests) for generation in batch]


class Replicas:
    """The run's backend on the driver: it hands chunks of requests to whichever replica has room."""

    def __init__(self, config: RunConfig, build: Build, options: BackendOptions, adapters: Sequence[Adapter]) -> None:
        self._asked_for = config.replicas
        self._replicas = actors(
            config.ray_address,
            Replica,
            config.replicas,
            (build, options, adapters),
            num_cpus=1,
            num_gpus=config.gpus_per_replica,
        )
        self._place = {adapter.name: i for i, adapter in enumerate(adapters)}

    def probe(self, prompts: Sequence[str]) -> Mapping[str, Probe]:
        """One replica's answer stands for all: they hold the same weights."""
        probes: Mapping[str, Probe] = self._ask_one("probe", prompts)
        return probes

    def describe(self) -> Mapping[str, Any]:
        return {**self._ask_one("describe"), "distributed": "ray", "replicas": self._asked_for}

    def generate(self, requests: Sequence[Request], done: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Answer all requests but the `done` ones, chunk by chunk; those of a replica that is given up go to others."""
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
                    f"every replica died more than {RESTARTS} times: the answers so far are kept, the same command "
                    "goes on (Ray's log says what they died of)"
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

    def _ask_one(self, method: str, *arguments: Any) -> Any:
        import ray
        from ray.exceptions import RayActorError

        try:
            with plain_errors():
                return ray.get(getattr(self._replicas[0], method).remote(*arguments))
        except RayActorError as error:
            raise UserError(f"a replica died before the run began: {first_line(error)}") from None
