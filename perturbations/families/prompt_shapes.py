"""Changes of the prompt around the content; `holdfast.perturbations.shapes` makes them, the content stays as it is."""

from collections.abc import Sequence
from random import Random

from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation


@perturbation("format", family="prompt", light=4, heavy=10, units=None, reshapes=True)
def prompt_format(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Set the template in other formats: descriptors, separators, spaces; strength is the number of formats."""
    return Edits(text)


@perturbation("options", family="prompt", light=4, heavy=10, units=None, reshapes=True)
def options(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Reorder and re-letter the options that a prompt lists; strength is the number of orders."""
    return Edits(text)


@perturbation("example_order", family="prompt", light=4, heavy=10, units=None, reshapes=True)
def example_order(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Reorder the examples in front of a question; strength is the number of orders."""
    return Edits(text)
