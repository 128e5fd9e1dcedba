"""A correction: scale every update by 1 / (1 + strength)."""

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Ge

from holdfast.training.method import method, setting


@dataclass(frozen=True)
class Halve:
    strength: Annotated[float, Ge(0)] = setting(1.0, "1 halves the update")


@method("halve", "adapter", settings=Halve)
def halve(settings, modules):
    """Scale every update by 1 / (1 + strength)."""

    def correct(module):
        return module.becomes(replace(module.factors, b=module.factors.b / (1 + settings.strength)))

    return correct
