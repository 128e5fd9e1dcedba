"""Post-hoc corrections: a trained adapter mended without training, through its factors (METHODS 3)."""

from holdfast.training.corrections.controls import project, random_subspace, shrink
from holdfast.training.corrections.csulora import csulora
from holdfast.training.corrections.factors import Components, Correction, Directions, Factors
from holdfast.training.corrections.safelora import safelora
from holdfast.training.corrections.subspace import directions

__all__ = [
    "Components",
    "Correction",
    "Directions",
    "Factors",
    "csulora",
    "directions",
    "project",
    "random_subspace",
    "safelora",
    "shrink",
]
