"""What is asked: samples, tasks, and the embedded suites."""

from holdfast.tasks.load import load_task
from holdfast.tasks.task import Sample, Task, task, tasks

__all__ = ["Sample", "Task", "load_task", "task", "tasks"]
