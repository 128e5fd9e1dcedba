"""What there is, by kind, each with one line about it; imports no model library."""

import inspect
from collections.abc import Callable
from typing import Any

from holdfast.errors import UserError
from holdfast.registry import Registry
from holdfast.suggestions import did_you_mean


def print_listing(kind: str | None) -> None:
    """Print the names of one kind, or of every kind; raises UserError for an unknown kind."""
    kinds = _kinds()
    if kind is not None and kind not in kinds:
        raise UserError(f"unknown kind '{kind}'{did_you_mean(kind, kinds)}")
    for name in [kind] if kind else list(kinds):
        registry, describe = kinds[name]
        names = registry.names()
        if kind is None and names:
            print(f"{name}:")
        for entry in names:
            print(f"  {entry:<20} {_described(registry, entry, describe)}")


def _described(registry: Registry[Any], name: str, describe: Callable[[Any], str]) -> str:
    try:
        return describe(registry.get(name))
    except UserError as error:  # a broken plug-in must not hide the others
        return f"({error})"


def _kinds() -> dict[str, tuple[Registry[Any], Callable[[Any], str]]]:
    from holdfast.harness.backends import backends
    from holdfast.metrics import metrics
    from holdfast.metrics.encoders.encoder import encoders
    from holdfast.perturbations import perturbations
    from holdfast.tasks import tasks
    from holdfast.training.method import methods

    return {
        "tasks": (tasks, _first_line),
        "perturbations": (perturbations, _perturbation),
        "metrics": (metrics, _metric),
        "encoders": (encoders, lambda entry: _first_line(entry.build)),
        "backends": (backends, lambda entry: _first_line(entry.build)),
        "methods": (methods, lambda entry: f"{entry.place}: {entry.summary}"),
    }


def _perturbation(entry: Any) -> str:
    return f"{entry.family}; light {entry.light:g}, heavy {entry.heavy:g}: {_first_line(entry.apply)}"


def _metric(entry: Any) -> str:
    return ", ".join(f"{key} {'↑' if up else '↓'}" for key, up in entry.higher_is_better.items())


def _first_line(item: Any) -> str:
    return (inspect.getdoc(item) or "").split("\n")[0]
