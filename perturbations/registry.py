"""The registry of perturbations and the decorator that fills it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from holdfast.errors import UserError
from holdfast.perturbations.types import Edits, Expectation, Perturbation
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
    expects: Expectation = "invariant",
) -> Callable[[F], F]:
    """Register the decorated function under `name`; the function itself stays as it was.

    `light` and `heavy` are the strengths of those two severities, `units` counts what strength is a share of
    (`count_characters`, `count_words`), `extras` names further keywords that the function takes from the sample, and
    `expects` is `changed` where the answer should not stay what it was:

        @perturbation("shout", family="characters", light=0.1, heavy=0.5, units=count_words)
        def shout(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits: ...

    Raises UserError for strengths that are no shares, and for a name that another module has taken.
    """
    if not 0 <= light <= heavy <= 1:
        raise UserError(
            f"perturbation '{name}': light and heavy are shares from 0 to 1, light at most heavy, "
            f"not {light} and {heavy}"
        )

    def register(function: F) -> F:
        entry = Perturbation(name, family, light, heavy, function, units, tuple(extras), expects)
        perturbations.register(name, entry)
        return function

    return register
