"""Flat-LoRA in a Trainer of your own: any model that peft adapts, whatever it reads."""

from contextlib import ExitStack
from typing import Any

from torch import nn
from transformers import TrainerCallback

from holdfast.training.noise.weights.weight_noise import WeightNoise


class FlatLora(TrainerCallback):  # type: ignore[misc]
    """Weight noise (arXiv 2409.14396) in every optimizer step of transformers' `Trainer`, for vision models and others.

        trainer = Trainer(model, arguments, train_dataset=images, callbacks=[FlatLora(model, sigma=0.15)])

    `model` is under a LoRA adapter of peft. In a loop without a Trainer use `WeightNoise(model, ...).step(step, total)`
    around forward and backward. Evaluation and saving never see the noise. A step that raises leaves it on the model,
    until training goes on or `on_train_end` is called.
    """

    def __init__(self, model: nn.Module, *, sigma: float = 0.05, seed: int = 0, all_linear: bool = False) -> None:
        self._noise = WeightNoise(model, sigma=sigma, seed=seed, all_linear=all_linear)
        self._open = ExitStack()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """None yet, even where an earlier training broke off within a step."""
        self._open.close()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The noise of this optimizer step, for all its micro-batches."""
        self._open.close()
        self._open.enter_context(self._noise.step(state.global_step, state.max_steps))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """No noise any more."""
        self._open.close()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """None, even where a step was left half-way."""
        self._open.close()
