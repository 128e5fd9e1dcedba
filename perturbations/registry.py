"""The registry of perturbations and the decorator that fills it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from holdfast.perturbations.types import Edits, Perturbation
from holdfast.registry import Registry

perturbations: Registry[Perturbation] = Registry("perturbations", "holdfast.perturbations")

F = TypeVar("F", bound=Callable[..., Edits])


def perturbation(
    name: str,
    *,
    family: str,
    light: float,
    heavy: float,
    units: Callable[[str], int] | None,
    extras: Sequence[str] = (),
) -> Callable[[F], F]:
    """Register the decorated function under `name`; the function itself stays as it was.

    `light` and `heavy` are the strengths of those two severities, `units` counts what strength is a share of
    (`count_characters`, `count_words`), and `extras` names further keywords that the function takes from the sample:

        @perturbation("shout", family="characters", light=0.1, heavy=0.5, units=count_words)
        def shout(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits: ...
    """

    def register(function: F) -> F:
        perturbations.register(name, Perturbation(name, family, light, heavy, function, units, tuple(extras)))
        named.cache_clear()
        return function

    return register


@cache
def named(name: str) -> Perturbation:
    """`perturbations.get(name)`, remembered: a run asks for the same few names a hundred thousand times."""
    return perturbations.get(name)
