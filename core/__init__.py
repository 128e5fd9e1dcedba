"""Holdfast: does a LoRA adapter still say the same thing, segment by segment, when its prompt is perturbed?

Everything here is imported on first use, so that `import holdfast` is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from holdfast.version import __version__

if TYPE_CHECKING:
    from holdfast.errors import UserError
    from holdfast.harness.actions.checking import check
    from holdfast.harness.actions.correcting import correct
    from holdfast.harness.actions.training import train
    from holdfast.harness.evaluation import evaluate
    from holdfast.harness.models.adapter_geometry import inspect_adapter
    from holdfast.harness.results.leaderboard import leaderboard
    from holdfast.harness.results.run_results import Results, load_run
    from holdfast.metrics.drift import Drift, segment_drift
    from holdfast.metrics.metric import pair_metric, sample_metric
    from holdfast.perturbations.edits import Edits
    from holdfast.perturbations.perturbation import perturbation
    from holdfast.perturbations.variants import perturb
    from holdfast.tasks.sample import Sample
    from holdfast.tasks.task import Task, task
    from holdfast.training.method import method

_HOMES = {
    "Drift": "metrics.drift",
    "Edits": "perturbations.edits",
    "Results": "harness.results.run_results",
    "Sample": "tasks.sample",
    "Task": "tasks.task",
    "UserError": "errors",
    "check": "harness.actions.checking",
    "correct": "harness.actions.correcting",
    "evaluate": "harness.evaluation",
    "inspect_adapter": "harness.models.adapter_geometry",
    "leaderboard": "harness.results.leaderboard",
    "load_run": "harness.results.run_results",
    "method": "training.method",
    "pair_metric": "metrics.metric",
    "perturb": "perturbations.variants",
    "perturbation": "perturbations.perturbation",
    "sample_metric": "metrics.metric",
    "segment_drift": "metrics.drift",
    "task": "tasks.task",
    "train": "harness.actions.training",
}
"""The module of each public name."""

__all__ = [
    "Drift",
    "Edits",
    "Results",
    "Sample",
    "Task",
    "UserError",
    "__version__",
    "check",
    "correct",
    "evaluate",
    "inspect_adapter",
    "leaderboard",
    "load_run",
    "method",
    "pair_metric",
    "perturb",
    "perturbation",
    "sample_metric",
    "segment_drift",
    "task",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'holdfast' has no attribute '{name}'")
    found = getattr(import_module(f"holdfast.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
