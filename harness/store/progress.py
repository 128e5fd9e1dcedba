"""A progress bar with rate and remaining time, shown only on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Called with the number of generations that have just been stored."""

    def __call__(self, count: int, /) -> object: ...


@contextmanager
def progress_bar(total: int, done: int, doing: str = "generating") -> Iterator[Advance]:
    """Show a progress bar on standard error, and yield a function that advances it.

    Args:
        total: Number of steps.
        done: Number of steps that are already done.
        doing: The label.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Task as BarTask
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: BarTask) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")

    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=60) as progress:
        bar = progress.add_task(doing, total=total, completed=done)
        yield lambda count: progress.advance(bar, count)
