"""The pocket models and adapters that are shipped with the package: their names and directories."""

from pathlib import Path

MODELS = ("pocket-base", "pocket-aligned")
ADAPTERS = ("pocket-steady", "pocket-narrow")

_SHIPPED = Path(__file__).parent / "models"


def names() -> tuple[str, ...]:
    """The aliases of everything that is shipped: the models first, then the demo adapters."""
    return MODELS + ADAPTERS


def resolve(name: str) -> Path | None:
    """The directory of a shipped model or adapter inside the installed package, or None for any other name.

    >>> resolve("somebody/else") is None
    True
    """
    return _SHIPPED / name if name in names() else None
