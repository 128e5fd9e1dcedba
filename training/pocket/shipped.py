"""The names and directories of the pocket models and adapters shipped with the package."""

from pathlib import Path

MODELS = ("pocket-base", "pocket-aligned")
ADAPTERS = ("pocket-steady", "pocket-narrow")

_SHIPPED = Path(__file__).parent / "models"


def names() -> tuple[str, ...]:
    """Return the names of all shipped models, then of the demo adapters."""
    return MODELS + ADAPTERS


def resolve(name: str) -> Path | None:
    """Return the directory of a shipped model or adapter in the installed package, or None for any other name.

    >>> resolve("somebody/else") is None
    True
    """
    return _SHIPPED / name if name in names() else None
