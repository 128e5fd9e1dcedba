"""What is added to the task loss, by name."""

from collections.abc import Callable, Mapping

from holdfast.training.objectives.baselines import Result, Step, augment, consistency, has_dropout, none, rdrop

OBJECTIVES: Mapping[str, Callable[[Step], Result]] = {
    "none": none,
    "augment": augment,
    "consistency": consistency,
    "rdrop": rdrop,
}

__all__ = ["OBJECTIVES", "Result", "Step", "has_dropout"]
