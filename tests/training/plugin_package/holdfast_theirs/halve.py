"""A correction: scale every update by 1 / (1 + strength)."""

from dataclasses import dataclass, replace

from holdfast.training.method import method, setting


@dataclass(frozen=True)
class Halve:
    strength: float = setting(1.0, "1 halves the update", ge=0)


@method("halve", "adapter", settings=Halve)
def halve(settings, modules):
    """Scale every update by 1 / (1 + strength)."""

    def correct(module):
        return module.replace_with(replace(module.factors, b=module.factors.b / (1 + settings.strength)))

    return correct
