"""The pocket models: two tiny checkpoints and two adapters, trained from this repository's own grammar and facts."""

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


def build(out: Path, seed: int = 0, device: str = "cpu") -> None:
    """Generate the corpus, train the tokenizer, both models and both adapters, evaluate them and write their cards."""
    from holdfast.training.pocket.building import build_all

    build_all(Path(out), seed, device)
