"""The registry of perturbations and the decorator that fills it."""

from holdfast.perturbations.types import Perturbation
from holdfast.registry import Registry

perturbations: Registry[Perturbation] = Registry("perturbations", "holdfast.perturbations")
