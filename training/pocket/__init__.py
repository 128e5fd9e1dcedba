"""The pocket models: two tiny checkpoints and two adapters, trained from this repository's own grammar and facts."""

from argparse import ArgumentParser, Namespace
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


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `holdfast pocket build`; hand what was parsed to `run`."""
    parser.add_argument("--out", type=Path, required=True, help="an empty folder for the models and adapters")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same corpus and tokenizer, byte for byte")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")


def run(arguments: Namespace) -> int:
    """Build with the parsed options."""
    build(arguments.out, arguments.seed, arguments.device)
    return 0
