"""Flat-LoRA as a callback for your own Trainer, for any model that peft can adapt."""

from contextlib import ExitStack
from typing import Any

from torch import nn
from transformers import TrainerCallback

from holdfast.training.noise.weights.weight_noise import WeightNoise


class FlatLora(TrainerCallback):  # type: ignore[misc]
    """Adds Flat-LoRA's weight noise (arXiv 2409.14396) to every optimizer step of transformers' `Trainer`.

    It works for vision models and others, not only for language models:

        trainer = Trainer(model, arguments, train_dataset=images, callbacks=[FlatLora(model, sigma=0.15)])

    In a loop without a Trainer, wrap forward and backward in `WeightNoise(model, ...).step(step, total)`. Evaluation
    and saving never see the noise. If a step raises, the noise stays on the model until training starts again or
    `on_train_end` is called.

    Args:
        model: A model with a peft LoRA adapter.
        sigma: The noise at the last step, relative to each row's root mean square, >= 0.
        seed: The seed of the noise.
        all_linear: Whether to perturb every linear layer, not only those with an adapter.
    """

    def __init__(self, model: nn.Module, *, sigma: float = 0.05, seed: int = 0, all_linear: bool = False) -> None:
        self._noise = WeightNoise(model, sigma=sigma, seed=seed, all_linear=all_linear)
        self._open = ExitStack()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remove noise left by an earlier run that was interrupted within a step."""
        self._open.close()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Add this optimizer step's noise, the same for all its micro-batches."""
        self._open.close()
        self._open.enter_context(self._noise.step(state.global_step, state.max_steps))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remove the noise."""
        self._open.close()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Remove the noise, even if a step was interrupted."""
        self._open.close()
