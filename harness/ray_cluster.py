"""A run's Ray cluster: connected once, its actors' failures in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from holdfast.errors import UserError, first_line

RESTARTS = 3
"""An actor that dies more often is given up."""


def actors(address: str | None, kind: type, count: int, arguments: tuple[Any, ...], **options: Any) -> list[Any]:
    """So many actors of this class, all made with these arguments; options are Ray's.

    An actor that dies is started again, and what it was asked is asked again: it must be something that may be done
    twice. Raises UserError where Ray is missing or no cluster answers.
    """
    ray = _connected(address)
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
        raise UserError("--distributed ray needs Ray: pip install 'holdfast[ray]'")
    import ray

    if not ray.is_initialized():
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(address=address, include_dashboard=None if address else False, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"no Ray cluster answers at --ray_address '{address}': {first_line(error)}") from None
    return ray
