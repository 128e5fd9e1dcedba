"""An engine that several runs share, so that the base model is loaded once."""

from dataclasses import dataclass, field
from typing import Any

from holdfast.harness.backends.backend import Backend, Build


@dataclass(slots=True)
class KeptEngine:
    """Builds an engine for the first run, and returns it to the following ones, which must have the same adapters."""

    build: Build
    built: list[Backend] = field(default_factory=list)

    def __call__(self, *options: Any) -> Backend:
        if not self.built:
            self.built.append(self.build(*options))
        return self.built[0]
