"""Runs an evaluation and reads its results: command line, runner, backends, store, statistics, leaderboard."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.harness.evaluation import evaluate
    from holdfast.harness.results.run_results import Results

__all__ = ["Results", "evaluate"]


def __getattr__(name: str) -> Any:
    """`holdfast.harness.evaluate(...)` without making the command line's help import pandas."""
    if name in __all__:
        from holdfast.harness import evaluation

        return getattr(evaluation, name)
    raise AttributeError(f"module 'holdfast.harness' has no attribute '{name}'")
