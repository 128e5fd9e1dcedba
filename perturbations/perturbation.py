"""The `Perturbation` record, the registry of perturbations, and the decorator that registers them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from holdfast.errors import UserError
from holdfast.perturbations.edits import Edits
from holdfast.registry import Registry

Perturb = Callable[..., Edits]
"""`(text, strength, rng, *, protect=()) -> Edits`, plus the keywords that the perturbation declares as `extras`.

`strength` is the target edit rate in [0, 1]; `rng` is the only source of randomness; `protect` lists strings that must
not change, in addition to those that never do (see `holdfast.perturbations.protected`).
"""


Expectation = Literal["invariant", "changed"]
"""The expected effect on the answer, as in CheckList (Ribeiro et al. 2020): "invariant" (INV) if it should stay the
same, "changed" (DIR) if it should change because the question has changed."""


EXTRAS = frozenset({"paraphrases"})
"""Sample fields, besides the text, that a perturbation can request."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A registered perturbation.

    Attributes:
        name: Its name in the registry.
        family: The family it is listed under.
        light: The strength of severity `light`, in [0, 1].
        heavy: The strength of severity `heavy`, in [0, 1].
        apply: The function itself.
        units: Counts the units (characters, words) of a text of which `strength` is a share. The number of edits is
            exactly `edit_count(strength, units(text))`, or fewer if the text has too few eligible places. None if
            strength doesn't determine the number of edits (`paraphrase`, `identity`).
        extras: Sample fields passed to `apply` as keywords; any of `EXTRAS`.
        expects: The expected effect on the answer.
        reshapes: Whether it changes the prompt around the content, and `apply` nothing: its strength is then the number
            of shapes that are tried.

    Raises:
        UserError: If `extras` contains an unknown name.
    """

    name: str
    family: str
    light: float
    heavy: float
    apply: Perturb
    units: Callable[[str], int] | None
    extras: tuple[str, ...] = ()
    expects: Expectation = "invariant"
    reshapes: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.extras) - EXTRAS:
            raise UserError(
                f"perturbation '{self.name}': unknown extra '{min(unknown)}'; expected any of: "
                f"{', '.join(sorted(EXTRAS))}"
            )

    def strength(self, severity: str) -> float:
        """Return the strength of a severity.

        Args:
            severity: `light`, `heavy`, or a number between 0 and 1 as text.

        Raises:
            UserError: If the severity is none of these.
        """
        if severity == "light":
            return self.light
        if severity == "heavy":
            return self.heavy
        if self.reshapes:
            if re.fullmatch(r"#?[1-9]\d{0,3}", severity):
                return float(severity.removeprefix("#"))
            raise UserError(
                f"unknown severity '{severity}' for perturbation '{self.name}'; use light, heavy or a number of prompt "
                "shapes, e.g. 8"
            )
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
    reshapes: bool = False,
) -> Callable[[F], F]:
    """Register the decorated function as a perturbation and return it unchanged.

        @perturbation("shout", family="characters", light=0.1, heavy=0.5, units=count_words)
        def shout(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits: ...

    Args:
        name: Name in the registry.
        family: Family to list it under.
        light: Strength of severity `light`, in [0, 1].
        heavy: Strength of severity `heavy`, at least `light`.
        units: Counts the units of which strength is a share, e.g. `count_characters` or `count_words`.
        extras: Sample fields that the function takes as additional keywords; any of `EXTRAS`.
        expects: "changed" if the answer should change.
        reshapes: Whether it changes the prompt around the content; strengths are then numbers of shapes.

    Raises:
        UserError: If the strengths are invalid, or another module has already registered this name.
    """
    if not reshapes and not 0 <= light <= heavy <= 1:
        raise UserError(
            f"perturbation '{name}': expected strengths with 0 <= light <= heavy <= 1, got light={light} and "
            f"heavy={heavy}"
        )

    def register(function: F) -> F:
        entry = Perturbation(name, family, light, heavy, function, units, tuple(extras), expects, reshapes)
        perturbations.register(name, entry)
        return function

    return register
