"""A run's Ray cluster: connected once, its actors' failures in one line."""

import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from holdfast.errors import UserError, first_line

RESTARTS = 3
"""An actor that dies more often is given up."""


def actors(address: str | None, kind: type, count: int, arguments: tuple[Any, ...], **options: Any) -> list[Any]:
    """So many actors of this class, all made with these arguments; options are Ray's.

    An actor that dies is started again, and what it was asked is asked again: it must be something that may be done
    twice. Raises UserError where Ray is missing, no cluster answers, or this machine alone has no room for them all.
    """
    ray = _connected(address)
    _check_room(ray.cluster_resources(), address, count, options)
    remote = ray.remote(max_restarts=RESTARTS, max_task_retries=-1, **options)(kind)
    return [remote.remote(*arguments) for _ in range(count)]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Within the block an actor's UserError is one line here too, without the traceback that Ray wraps around it."""
    from ray.exceptions import RayTaskError

    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise UserError(str(error.cause)) from None
        raise


def _connected(address: str | None) -> Any:
    """Ray, connected to the cluster at `address`, or to one of its own on this machine."""
    if find_spec("ray") is None:
        raise UserError("--distributed ray needs Ray: pip install 'holdfast-eval[ray]'")
    import ray

    if not ray.is_initialized():
        if address and address != "auto" and "://" not in address:
            _check_somebody_listens(address)
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(address=address, include_dashboard=None if address else False, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"no Ray cluster answers at --ray_address '{address}': {first_line(error)}") from None
    return ray


def _check_somebody_listens(address: str) -> None:
    """Ray itself asks for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"no Ray cluster answers at --ray_address '{address}': {first_line(error)}; give HOST:PORT of its head "
            "(ray start says it), or auto on a machine of the cluster"
        ) from None


def _check_room(there: Mapping[str, float], address: str | None, count: int, options: Mapping[str, Any]) -> None:
    """A cluster may grow, so there it is only said; a machine doesn't."""
    for kind, each in (("CPU", options.get("num_cpus", 0)), ("GPU", options.get("num_gpus", 0))):
        if count * each > there.get(kind, 0):
            lacking = f"{count} replicas need {count * each:g} {kind}s, and there are {there.get(kind, 0):g}"
            if address is None:
                raise UserError(
                    f"{lacking} on this machine: ask for fewer --replicas, or name a cluster's --ray_address"
                )
            warnings.warn(f"{lacking} in the cluster: some wait until it has grown", stacklevel=4)
