"""What is asked: samples, tasks, and the embedded suites."""

from holdfast.tasks.loading import load_task
from holdfast.tasks.registry import task, tasks
from holdfast.tasks.types import Sample, Task

__all__ = ["Sample", "Task", "load_task", "task", "tasks"]
