"""The registry of suites: a suite is a function without arguments, decorated with `@task`, that returns a Task."""

from collections.abc import Callable

from holdfast.registry import Registry
from holdfast.tasks.types import Task

tasks: Registry[Callable[[], Task]] = Registry("tasks", "holdfast.tasks")


def task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register a suite under `name`; its docstring's first line is what `holdfast ls tasks` shows."""

    def register(build: Callable[[], Task]) -> Callable[[], Task]:
        tasks.register(name, build)
        return build

    return register
