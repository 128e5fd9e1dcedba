"""What a perturbation is, the registry of perturbations, and the decorator that fills it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from holdfast.errors import UserError
from holdfast.perturbations.edits import Edits
from holdfast.registry import Registry

Perturb = Callable[..., Edits]
"""`(text, strength, rng, *, protect=()) -> Edits`, plus the keywords that the perturbation declares as `extras`.

`strength` is the target edit rate in [0, 1]; `rng` is the only source of chance; `protect` names strings to leave
alone besides the usual ones (see `holdfast.perturbations.protected`).
"""


Expectation = Literal["invariant", "changed"]
"""What should become of the answer, as in CheckList (Ribeiro et al. 2020): INV, it stays what it was; DIR, it
changes, since something else was asked."""


EXTRAS = frozenset({"paraphrases"})
"""What a sample can hand to a perturbation besides its text."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A registered perturbation: the function, its family, and the strengths that `light` and `heavy` mean."""

    name: str
    family: str
    light: float
    heavy: float
    apply: Perturb
    units: Callable[[str], int] | None
    """How many units (characters or words) of a text `strength` is a share of; the number of edits is exactly
    `edit_count(strength, units(text))`, less only where the text has fewer places. None: strength says how far to
    go, not how many edits to make (`paraphrase`, `identity`)."""
    extras: tuple[str, ...] = ()
    """Keywords that `apply` takes from the sample besides the text: any of `EXTRAS`."""
    expects: Expectation = "invariant"

    def __post_init__(self) -> None:
        if unknown := set(self.extras) - EXTRAS:
            raise UserError(
                f"perturbation '{self.name}' asks for the unknown extra '{min(unknown)}'; "
                f"use any of: {', '.join(sorted(EXTRAS))}"
            )

    def strength(self, severity: str) -> float:
        """The strength that a severity means: `light`, `heavy` or a number between 0 and 1.

        Raises UserError for anything else.
        """
        if severity == "light":
            return self.light
        if severity == "heavy":
            return self.heavy
        try:
            number = float(severity)
        except ValueError:
            number = -1.0
        if 0 <= number <= 1:
            return number
        raise UserError(
            f"unknown severity '{severity}' for perturbation '{self.name}'; "
            "use light, heavy or a number between 0 and 1, e.g. 0.08"
        )


perturbations: Registry[Perturbation] = Registry("perturbations", "holdfast.perturbations.families")

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
