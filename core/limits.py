"""Limits of time and memory for untrusted templates and patterns."""

import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.errors import UserError

_SIZE = Path("/proc/self/statm")


@contextmanager
def time_limit(seconds: float, what: str) -> Iterator[None]:
    """Raise UserError, naming `what`, if the block takes longer; only the main thread can be limited.

    >>> with time_limit(0.01, "the loop"):
    ...     while True:
    ...         pass
    Traceback (most recent call last):
    ...
    holdfast.errors.UserError: the loop takes longer than 0.01 s
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise UserError(f"{what} takes longer than {seconds:g} s")

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody else's timer goes on
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left - (time.monotonic() - began)), interval)


@contextmanager
def memory_limit(size: int) -> Iterator[None]:
    """Let the block raise MemoryError if the process needs `size` bytes more than now; Linux only.

    Other threads are limited too, so this is for blocks that run while nothing else does.
    """
    if not _SIZE.exists():
        yield
        return
    used = int(_SIZE.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + size
    resource.setrlimit(resource.RLIMIT_AS, (wanted if soft == resource.RLIM_INFINITY else min(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
