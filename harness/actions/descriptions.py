"""One line about each registered thing: a task, a perturbation, a metric, an encoder, a comparer, a backend, ..."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.plan import model_judge  # noqa: F401 (registers the comparer)
from holdfast.harness.results.export.exporter import Exporter, exporters
from holdfast.metrics import Metric, metrics
from holdfast.metrics.comparers.segment_comparer import comparers
from holdfast.metrics.encoders.encoder import Encoder, encoders
from holdfast.perturbations import Perturbation, perturbations
from holdfast.registry import Registry
from holdfast.tasks import tasks
from holdfast.tasks.published.data_set import DataSet, data_sets
from holdfast.training.method import Method, methods

REGISTRIES: Mapping[str, Registry[Any]] = {
    "tasks": tasks,
    "datasets": data_sets,
    "perturbations": perturbations,
    "metrics": metrics,
    "encoders": encoders,
    "comparers": comparers,
    "backends": backends,
    "methods": methods,
    "exporters": exporters,
}


def descriptions(registry: Registry[Any]) -> Iterator[tuple[str, str]]:
    """Yield each name of a registry with a line about it; of a plug-in that can't be imported, with the reason."""
    for name in registry.names():
        try:
            yield name, _describe(registry.get(name))
        except UserError as error:  # a broken plug-in must not hide the others
            yield name, f"({error})"


def _describe(item: Any) -> str:
    match item:
        case Perturbation():
            return f"{item.family}; light {item.light:g}, heavy {item.heavy:g}: {_first_line(item.apply)}"
        case Metric():
            return ", ".join(f"{key} {'↑' if up else '↓'}" for key, up in item.higher_is_better.items())
        case Method():
            measured = f" Measured: {item.measured}" if item.measured else ""
            return f"{item.place}: {item.summary}{measured}"
        case DataSet():
            return item.about
        case Encoder():
            return _first_line(item.build)
        case Exporter():
            return _first_line(item.write)
        case _:
            return _first_line(getattr(item, "build", item))


def _first_line(item: Any) -> str:
    return (inspect.getdoc(item) or "").split("\n")[0]
