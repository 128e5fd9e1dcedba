"""Connect to a run's Ray cluster, start actors there, and report their errors in one line."""

import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from holdfast.errors import UserError, first_line

RESTARTS = 3
"""Number of times that an actor is restarted."""


def start_actors(address: str | None, kind: type, count: int, arguments: tuple[Any, ...], **options: Any) -> list[Any]:
    """Start actors on a Ray cluster.

    An actor that dies is restarted and its pending calls are repeated, so its methods must be safe to repeat.

    Args:
        address: The cluster; None starts one on this machine.
        kind: The actors' class.
        count: Number of actors.
        arguments: Arguments of the class.
        options: Ray's options, such as `num_gpus`.

    Raises:
        UserError: If Ray isn't installed, no cluster answers, or this machine lacks CPUs or GPUs for all actors.
    """
    ray = _connect(address)
    _check_room(ray.cluster_resources(), address, count, options)
    remote = ray.remote(max_restarts=RESTARTS, max_task_retries=-1, **options)(kind)
    return [remote.remote(*arguments) for _ in range(count)]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise an actor's UserError as it is, without the traceback that Ray adds."""
    from ray.exceptions import RayTaskError

    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise UserError(str(error.cause)) from None
        raise


def _connect(address: str | None) -> Any:
    """Return Ray, connected to the cluster at `address`, or to a new one on this machine."""
    if find_spec("ray") is None:
        raise UserError("--distributed ray needs Ray: pip install 'holdfast-eval[ray]'")
    import ray

    if not ray.is_initialized():
        if address and address != "auto" and "://" not in address:
            _check_reachable(address)
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(address=address, include_dashboard=None if address else False, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"no Ray cluster answers at --ray_address '{address}': {first_line(error)}") from None
    return ray


def _check_reachable(address: str) -> None:
    """Raise UserError if nothing listens at the address; Ray itself would retry for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"no Ray cluster answers at --ray_address '{address}': {first_line(error)}; give HOST:PORT of its head "
            "node (printed by ray start), or auto on a machine of the cluster"
        ) from None


def _check_room(available: Mapping[str, float], address: str | None, count: int, options: Mapping[str, Any]) -> None:
    """Check that CPUs and GPUs suffice: an error on this machine, a warning in a cluster, which may grow."""
    for kind, each in (("CPU", options.get("num_cpus", 0)), ("GPU", options.get("num_gpus", 0))):
        if count * each > available.get(kind, 0):
            lacking = f"{count} replicas need {count * each:g} {kind}s, but there are only {available.get(kind, 0):g}"
            if address is None:
                raise UserError(f"{lacking} on this machine: use fewer --replicas, or a cluster with --ray_address")
            warnings.warn(f"{lacking} in the cluster: some replicas wait until it grows", stacklevel=4)
