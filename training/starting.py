"""Builds methods, and turns errors of third-party ones into one-line messages that name the method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.errors import UserError, first_line
from holdfast.training.method import PLACES, Method

if TYPE_CHECKING:
    from torch import Tensor

    from holdfast.training.contract import Correct, Objective, Step, StepNoise
    from holdfast.training.corrections.factored.factors import Correction
    from holdfast.training.corrections.factored.module_update import ModuleUpdate


def start(method: Method, settings: Any, context: Any) -> Any:
    """Build a method.

    Args:
        method: The method.
        settings: An instance of its settings.
        context: A `TrainingContext`, or the modules of an adapter for a correction.

    Returns:
        The object that the builder returns. For a plug-in it is wrapped, so that its errors become UserErrors that name
        the plug-in.

    Raises:
        UserError: If a plug-in can't be built.
    """
    if method.build.__module__.startswith("holdfast."):
        return method.build(settings, context)
    with _named(method):
        built = method.build(settings, context)
    if method.place == "loss":
        return _objective(method, built)
    return _Noise(method, built) if method.place == "weights" else _correct(method, built)


def _objective(method: Method, built: Objective) -> Objective:
    def objective(step: Step) -> tuple[Tensor, dict[str, float]]:
        with _named(method):
            loss, logged = built(step)
        return loss, logged

    return objective


class _Noise:
    def __init__(self, method: Method, built: StepNoise) -> None:
        self._method, self._built = method, built

    def backward(self, run: Callable[[], Tensor], step: int, total: int) -> Tensor:
        with _named(self._method):
            return self._built.backward(run, step, total)


def _correct(method: Method, built: Correct) -> Correct:
    from holdfast.training.corrections.factored.factors import Correction

    def correct(module: ModuleUpdate) -> Correction:
        with _named(method):
            found = built(module)
            if not isinstance(found, Correction):
                raise TypeError(f"returned {type(found).__name__} for module '{module.name}', not a Correction")
        return found

    return correct


@contextmanager
def _named(method: Method) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if "memory" in str(error):  # the trainer gives advice on it
            raise
        kind, module = PLACES[method.place], method.build.__module__
        raise UserError(
            f"{kind} '{method.name}' of {module} failed ({type(error).__name__}: {first_line(error)}); "
            f"holdfast.training.testing.check_{kind} tests it"
        ) from error
