"""The pocket models: two tiny checkpoints and two adapters, trained from this repository's own grammar and facts."""

from holdfast.training.pocket.shipped import ADAPTERS, MODELS, names, resolve

__all__ = ["ADAPTERS", "MODELS", "names", "resolve"]
