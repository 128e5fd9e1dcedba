"""Tasks: samples, the embedded suites, and how to load your own."""

from holdfast.tasks.limited import limited
from holdfast.tasks.load import load_task
from holdfast.tasks.sample import Sample
from holdfast.tasks.task import Task, task, tasks

__all__ = ["Sample", "Task", "limited", "load_task", "task", "tasks"]
