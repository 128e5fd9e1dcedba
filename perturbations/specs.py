"""Parses the names users give: `typos`, `typos@heavy`, `typos@0.08`, `typos+emoji`."""

from holdfast.errors import UserError
from holdfast.perturbations.composition import parts_of


def parse(spec: str) -> tuple[str, str | None]:
    """Split a spec into the perturbation's name and its severity.

    Args:
        spec: A name or composition, optionally followed by `@` and a severity.

    Returns:
        The name and the severity; the severity is None if the spec has none, so that the run's severities apply.

    Raises:
        UserError: If the name is unknown (suggesting the nearest one), or the severity is neither `light`, `heavy` nor
            a number between 0 and 1.

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
        raise UserError(f"missing perturbation name in '{spec}'; write e.g. typos, typos@heavy or typos@0.08")
    if "+" in severity:
        first, _, rest = severity.partition("+")
        raise UserError(
            f"severity in the middle of '{spec}'; put it at the end, where it applies to all parts: "
            f"{name}+{rest.partition('@')[0].strip()}@{first.strip()}"
        )
    parts = parts_of(name)
    joined = "+".join(part.name for part in parts)
    if len(parts) > 1 and (shaping := next((part.name for part in parts if part.reshapes), "")):
        raise UserError(
            f"'{shaping}' changes the prompt around the text, and can't be part of '{joined}': name it alone"
        )
    if not at:
        return joined, None
    for part in parts:
        part.strength(severity)
    return joined, severity
