"""The control: no change, so any difference between outputs is the noise floor."""

from collections.abc import Sequence
from random import Random

from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import perturbation


@perturbation("identity", family="control", light=0.0, heavy=0.0, units=None)
def identity(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    """Change nothing, at any strength.

    Generated again in other batches, these variants show how much outputs vary when the prompt is the same.

    >>> identity("the cat sat", 1.0, Random(7)).text
    'the cat sat'
    """
    return Edits(text)
