"""What there is, by kind, each with one line about it; imports no model library."""

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from holdfast.errors import UserError


def print_listing(kind: str | None) -> None:
    """Print the names of one kind, or of every kind; raises UserError for an unknown kind."""
    kinds = _kinds()
    if kind is not None and kind not in kinds:
        near = difflib.get_close_matches(kind, kinds, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(kinds)}"
        raise UserError(f"unknown kind '{kind}'; {hint}")
    for name in [kind] if kind else list(kinds):
        if kind is None:
            print(f"{name}:")
        for entry, about in kinds[name]():
            print(f"  {entry:<20} {about}")


def _kinds() -> dict[str, Callable[[], list[tuple[str, str]]]]:
    return {
        "tasks": _tasks,
        "perturbations": _perturbations,
        "metrics": _metrics,
        "encoders": _encoders,
        "backends": _backends,
        "methods": _methods,
    }


def _tasks() -> list[tuple[str, str]]:
    from holdfast.tasks import tasks

    return [(name, _about(tasks.get(name))) for name in tasks.names()]


def _perturbations() -> list[tuple[str, str]]:
    from holdfast.perturbations import perturbations

    entries = [perturbations.get(name) for name in perturbations.names()]
    return [
        (entry.name, f"{entry.family}; light {entry.light:g}, heavy {entry.heavy:g}: {_about(entry.apply)}")
        for entry in entries
    ]


def _metrics() -> list[tuple[str, str]]:
    from holdfast.metrics import metrics

    entries = [metrics.get(name) for name in metrics.names()]
    return [
        (entry.name, ", ".join(f"{key} {'↑' if up else '↓'}" for key, up in entry.higher_is_better.items()))
        for entry in entries
    ]


def _encoders() -> list[tuple[str, str]]:
    from holdfast.metrics.encoders import encoders

    return [(name, _about(encoders.get(name))) for name in encoders.names()]


def _backends() -> list[tuple[str, str]]:
    from holdfast.harness.backends import backends

    return [(name, _about(backends.get(name))) for name in backends.names()]


def _methods() -> list[tuple[str, str]]:
    from holdfast.training.registry import methods

    return [(name, _about(methods.get(name))) for name in methods.names()]


def _about(item: Any) -> str:
    return (inspect.getdoc(item) or "").split("\n")[0]
