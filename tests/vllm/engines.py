"""How the tests start an engine."""

from collections.abc import Sequence
from typing import Any

from holdfast.harness.backends import Adapter, backends
from holdfast.harness.backends.types import Backend, BackendOptions
from tests.harness.loras import POCKET

MODEL_ARGS = {"pretrained": str(POCKET), "dtype": "float32", "max_length": 256}
SMALL = {**MODEL_ARGS, "kv_cache_memory_bytes": 2**26}


def connect(adapters: Sequence[Adapter], batch_size: int | None = None, **model_args: Any) -> Backend:
    options = BackendOptions({**SMALL, **model_args}, batch_size)
    entry = backends.get("vllm")
    entry.check(options.model_args)
    return entry.build(options, adapters)
