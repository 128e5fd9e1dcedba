"""An adapter, or the base model alone, as every backend and result knows it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Adapter:
    """One contestant: the base model alone (`path` None) or a peft directory on top of it.

    `digest` is the SHA-256 of the adapter's weights and configuration, of the base's for the base.
    """

    name: str
    path: Path | None
    digest: str
    scale: float = 1.0
    """What its update is multiplied with."""
    served: str = ""
    """What a server calls it, where it is no directory of ours."""
