"""Registers the backend `api`: any OpenAI-compatible server, and Anthropic's."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.harness.backends.backend import Backend, BackendOptions, backend
from holdfast.harness.models.adapter import Adapter


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError for an unknown, missing or impossible model argument, or a missing key."""
    from holdfast.harness.backends.engines import api_engine

    api_engine.check_args(model_args)


def find_served(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """Return the base and the adapters: directories to load on the server, and names that it serves already."""
    from holdfast.harness.backends.engines import api_engine

    return api_engine.find_served(model_args, adapters)


@backend("api", check_args, find_served, incidental_args=("timeout", "max_retries"), incidental=("batch_size",))
def api(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """Ask an OpenAI-compatible server (vllm serve included) or Anthropic's: adapters by model name."""
    from holdfast.harness.backends.engines.api_engine import Api

    return Api(options, adapters)
