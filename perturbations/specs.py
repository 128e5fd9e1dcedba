"""How a user names a perturbation: `typos`, `typos@heavy`, `typos@0.08`."""

from holdfast.errors import UserError
from holdfast.perturbations.registry import perturbations


def parse(spec: str) -> tuple[str, str | None]:
    """The name and the severity in `spec`; None when it names no severity, so that the run's own severities hold.

    Raises UserError for an unknown name (with the nearest one) and for a severity that is neither `light`, `heavy`
    nor a number between 0 and 1.

    >>> parse("typos")
    ('typos', None)
    >>> parse("typos@0.08")
    ('typos', '0.08')
    >>> parse("typo@heavy")
    Traceback (most recent call last):
    holdfast.errors.UserError: unknown perturbation 'typo'; did you mean 'typos'? (holdfast ls perturbations lists all)
    """
    name, at, severity = (part.strip() for part in spec.partition("@"))
    if not name:
        raise UserError(f"no perturbation named in '{spec}'; write e.g. typos, typos@heavy or typos@0.08")
    entry = perturbations.get(name)
    if not at:
        return name, None
    entry.strength(severity)
    return name, severity
