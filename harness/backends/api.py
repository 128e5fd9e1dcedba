"""Register the backend `api`: any OpenAI-compatible server, and Anthropic's."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.harness.backends.backend import Backend, BackendOptions, backend
from holdfast.harness.models.adapter import Adapter


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid, or the API key is missing."""
    from holdfast.harness.backends.engines import api_engine

    api_engine.check_args(model_args)


def find_served(model_args: Mapping[str, Any], adapters: Sequence[str]) -> tuple[Adapter, list[Adapter]]:
    """Return the base and the adapters: directories for the server to load, and names that it already serves."""
    from holdfast.harness.backends.engines import api_engine

    return api_engine.find_served(model_args, adapters)


@backend("api", check_args, find_served, incidental_args=("timeout", "max_retries"), incidental=("batch_size",))
def api(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """Send requests to an OpenAI-compatible server (such as vllm serve) or Anthropic's; adapters are model names."""
    from holdfast.harness.backends.engines.api_engine import Api

    return Api(options, adapters)
