"""How a user names a perturbation: `typos`, `typos@heavy`, `typos@0.08`, `typos+emoji`."""

from holdfast.errors import UserError
from holdfast.perturbations.composition import parts_of


def parse(spec: str) -> tuple[str, str | None]:
    """The name and the severity in `spec`; None when it names no severity, so that the run's own severities hold.

    Raises UserError for an unknown name (with the nearest one) and for a severity that is neither `light`, `heavy`
    nor a number between 0 and 1.

    >>> parse("typos")
    ('typos', None)
    >>> parse("typos@0.08")
    ('typos', '0.08')
    >>> parse("typos + emoji@light")
    ('typos+emoji', 'light')
    >>> parse("typo@heavy")
    Traceback (most recent call last):
    holdfast.errors.UserError: unknown perturbation 'typo'; did you mean 'typos'? (holdfast ls perturbations lists all)
    """
    name, at, severity = (part.strip() for part in spec.partition("@"))
    if not name:
        raise UserError(f"no perturbation named in '{spec}'; write e.g. typos, typos@heavy or typos@0.08")
    if "+" in severity:
        first, _, rest = severity.partition("+")
        raise UserError(
            f"the severity stands inside '{spec}'; put it at the end, where it holds for all parts: "
            f"{name}+{rest.partition('@')[0].strip()}@{first.strip()}"
        )
    parts = parts_of(name)
    joined = "+".join(part.name for part in parts)
    if not at:
        return joined, None
    for part in parts:
        part.strength(severity)
    return joined, severity
