"""Post-hoc corrections, which change a trained adapter without training. Every module here registers one."""

from holdfast.training.corrections.csulora import csulora
from holdfast.training.corrections.factored.factors import Components, Correction, Directions, Factors
from holdfast.training.corrections.project import project
from holdfast.training.corrections.random_subspace import random_subspace
from holdfast.training.corrections.safelora import safelora
from holdfast.training.corrections.shrink import shrink

__all__ = [
    "Components",
    "Correction",
    "Directions",
    "Factors",
    "csulora",
    "project",
    "random_subspace",
    "safelora",
    "shrink",
]
