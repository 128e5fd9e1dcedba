"""The value that stands for an adapter, or for the base model alone, in backends and results."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Adapter:
    """A peft adapter on top of the base model, or the base model alone."""

    name: str
    path: Path | None
    """The peft directory; None for the base model and for an adapter that a server already serves."""
    digest: str
    """SHA-256 of the adapter's weights and configuration (for the base: of the base's)."""
    scale: float = 1.0
    """Factor by which the adapter's update is multiplied."""
    served: str = ""
    """The model name on the server, if the adapter is served rather than loaded from a directory."""
    mitigation: str = ""
    """The text around each of its prompts, if there is one (`plan.mitigations`)."""
