"""Backends: the engines that generate answers, behind one small protocol."""

from holdfast.harness.backends.backend import Backend, Generation, Request, Settings, backend, backends
from holdfast.harness.models.adapter import Adapter

__all__ = ["Adapter", "Backend", "Generation", "Request", "Settings", "backend", "backends"]
