"""Weight noise around forward and backward: Flat-LoRA, and isotropic noise of the same energy."""

from holdfast.training.noise.layers import Adapted, adapted_layers
from holdfast.training.noise.weight_noise import WeightNoise

__all__ = ["Adapted", "WeightNoise", "adapted_layers"]
