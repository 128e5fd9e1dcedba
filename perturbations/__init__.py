"""How a prompt is disturbed: pure functions from a text to the edits that change it."""

from holdfast.perturbations.registry import perturbation, perturbations
from holdfast.perturbations.types import Edit, Edits, Perturbation, Variant

__all__ = ["Edit", "Edits", "Perturbation", "Variant", "perturbation", "perturbations"]
