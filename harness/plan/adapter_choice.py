"""Choose the adapters of a run: all bad ones are named at once, and may be left out."""

import warnings
from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.errors import UserError
from holdfast.harness.backends.backend import Find
from holdfast.harness.backends.engines.hf_adapters import check_belongs, rehearse, skeleton_of
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import check_finite
from holdfast.harness.models.adapter_fit import check_fit
from holdfast.harness.models.checkpoints import BASE, find_local
from holdfast.harness.models.classifiers import has_head, head_size
from holdfast.harness.store.config import RunConfig


class Chosen(NamedTuple):
    """The base, the adapters that can be used, and why each of the others is left out."""

    base: Adapter
    adapters: list[Adapter]
    left_out: list[str]


def choose_adapters(config: RunConfig, find: Find) -> Chosen:
    """Find a run's base and adapters, and check them from the headers of their files.

    Args:
        config: The configuration; with `skip_bad_adapters`, bad adapters are left out.
        find: Finds adapters for the run's backend.

    Raises:
        UserError: If adapters are bad, naming all of them, unless they may be left out and others remain.
    """
    base, _ = find(config.model_args, [BASE])  # a mistake in the base is no adapter's
    folder = find_local(str(config.model_args.get("pretrained", "")))
    good: list[str] = []
    bad: list[str] = []
    trust = bool(config.model_args.get("trust_remote_code"))
    for spec in config.adapters:
        try:
            _, [adapter] = find(config.model_args, [spec])
            if adapter.path is not None:
                check_finite(adapter.name, adapter.path)
            if adapter.path is not None and folder is not None:
                named = check_fit(adapter.name, adapter.path, folder)
                skeleton = None if named else _skeleton(folder, trust, head_size(adapter))
                if skeleton is not None:
                    check_belongs(skeleton, adapter)
        except UserError as error:
            bad.append(str(error))
        else:
            good.append(spec)
    _, adapters = find(config.model_args, good)
    if config.skip_bad_adapters and config.model == "hf" and folder is not None:
        found = _rehearsed(folder, trust, adapters)
        bad += found.values()
        adapters = [adapter for adapter in adapters if adapter.name not in found]
    if bad and not (config.skip_bad_adapters and adapters):
        raise UserError(_joined(bad, len(adapters)))
    left_out = [f"left out: {each}" for each in bad]
    for each in left_out:
        warnings.warn(each, stacklevel=3)
    return Chosen(base, adapters, left_out)


def _rehearsed(folder: Path, trust: bool, adapters: Sequence[Adapter]) -> dict[str, str]:
    """Return why adapters can't be loaded, by name, without loading the base's weights."""
    classes = max(map(head_size, adapters), default=0)
    if _skeleton(folder, trust, classes) is None or not any(adapter.path for adapter in adapters):
        return {}
    return rehearse(lambda: deepcopy(_skeleton(folder, trust, classes)), adapters)


@lru_cache(maxsize=1)
def _skeleton(base: Path, trust: bool, classes: int) -> Any:
    """Return the base without its weights, or None if transformers can't build it.

    It is a classifier if there are classes, or if the base has a head of its own.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(base, trust_remote_code=trust)
        if classes:
            config.num_labels = classes
        return skeleton_of(config, trust, classifies=bool(classes) or has_head(base))
    except (OSError, ValueError, KeyError, ImportError):
        return None


def _joined(bad: Sequence[str], good: int) -> str:
    way_out = "; --skip_bad_adapters goes on with the others" if good else ""
    count = f"{len(bad)} of {len(bad) + good} adapters can't be used: " if len(bad) > 1 else ""
    return f"{count}{'; '.join(bad)}{way_out}"
