"""Register the backend `vllm`: vLLM, run in this process."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.harness.backends.backend import Backend, BackendOptions, backend
from holdfast.harness.models.adapter import Adapter


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if a model argument is unknown, missing or invalid."""
    from holdfast.harness.backends.engines import vllm_loading

    vllm_loading.check_args(model_args)


@backend("vllm", check_args)
def vllm(options: BackendOptions, adapters: Sequence[Adapter]) -> Backend:
    """Generate with vLLM in this process, on GPU or CPU: all adapters in one engine."""
    from holdfast.harness.backends.engines.vllm_engine import VLLM
    from holdfast.harness.backends.engines.vllm_loading import load

    return VLLM(load(options, adapters), adapters)
