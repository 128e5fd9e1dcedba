"""What generates: one backend per engine, behind one small protocol."""

from holdfast.harness.backends.registry import backend, backends
from holdfast.harness.backends.types import Adapter, Backend, Generation, Request, Settings

__all__ = ["Adapter", "Backend", "Generation", "Request", "Settings", "backend", "backends"]
