"""Perturbations: pure functions that take a text and return the edits they make to it."""

from holdfast.perturbations.composition import expectation, parts_of
from holdfast.perturbations.edits import Edit, Edits
from holdfast.perturbations.perturbation import Expectation, Perturbation, perturbation, perturbations
from holdfast.perturbations.specs import parse
from holdfast.perturbations.variants import Variant, clean_variant, make_variant, seed_for

__all__ = [
    "Edit",
    "Edits",
    "Expectation",
    "Perturbation",
    "Variant",
    "clean_variant",
    "expectation",
    "make_variant",
    "parse",
    "parts_of",
    "perturbation",
    "perturbations",
    "seed_for",
]
