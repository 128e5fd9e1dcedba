"""Find models and adapters on disk or on the hub, and compute the digests that identify them."""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import check_adapter, check_weights
from holdfast.paths import expanded
from holdfast.reading import check_readable, read_json
from holdfast.suggestions import did_you_mean
from holdfast.training import pocket

BASE = "base"
"""The adapter name that stands for the base model alone."""

_CONFIGURATION = (
    "config.json",
    "adapter_config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
)
_TEMPLATES = "additional_chat_templates"
_COUNTED = (
    *("*model*.safetensors", "*model*.bin", "*.index.json", "*.gguf"),
    *("*.model", "*.spm", "*.tiktoken", "*.codes", "vocab*", "merges*", "tekken.json", "added_tokens.json"),
    *("special_tokens_map.json", "chat_template*", f"{_TEMPLATES}/*.jinja"),
    *("modules.json", "1_Pooling/config.json"),
    "*.py",
)
"""Further files that decide answers: weights, tokenizers, templates, an encoder's pooling, code of the model's own."""


def find_checkpoint(name: str, what: str = "model") -> Path:
    """Return the directory of a model or adapter.

    Args:
        name: A shipped alias, a local directory, or a hub repository (its local cache comes first).
        what: "model", "adapter" or "tokenizer", for messages.

    Raises:
        UserError: If nothing is found.
    """
    shipped = pocket.resolve(name)
    if shipped is not None and shipped.is_dir():
        return shipped
    path = expanded(name)
    if name and os.path.isdir(path):  # False, unlike Path.is_dir, for a name that no path can have
        return path
    if os.path.isfile(path):
        raise UserError(f"{what} '{name}' is a file, not a directory: name the directory with the {what}'s files")
    if not name:
        raise UserError(f"no {what} given: use, for example, --model_args pretrained=pocket-aligned")
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise UserError(
            f"{what} '{name}' not found: no such directory, and no shipped model or adapter has that name"
            f"{did_you_mean(name, pocket.names())}"
        )
    return _from_hub(name, what)


def find_local(name: str) -> Path | None:
    """Return the directory of a model that is shipped, local or in the hub cache, else None; never goes online."""
    shipped = pocket.resolve(name)
    if shipped is not None or not name:
        return shipped
    if os.path.isdir(path := expanded(name)):
        return path
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except Exception:  # the hub's client raises errors of its own, ValueError and OSError
        return None


def find_base(pretrained: str) -> Adapter:
    """Return the base model as an `Adapter`; raise UserError if it isn't found."""
    return Adapter(BASE, None, digest_of(find_checkpoint(pretrained)))


def scale_adapters(adapters: Sequence[Adapter], scales: Sequence[float] | None) -> list[Adapter]:
    """Return every adapter once per scale, named `name@scale`; the base has nothing to scale and is kept as it is.

    Warns if there is nothing but the base.
    """
    if not scales:
        return list(adapters)
    if not any(adapter.path or adapter.served for adapter in adapters):
        warnings.warn("--adapter_scales is ignored: the base alone has no update to scale", stacklevel=2)
    named = {f"{scale:g}": scale for scale in scales}  # scales that are written alike count once
    return [
        one
        for adapter in adapters
        for one in (
            [replace(adapter, name=f"{adapter.name}@{name}", scale=scale) for name, scale in named.items()]
            if adapter.path or adapter.served
            else [adapter]
        )
    ]


def find_adapters(specs: Sequence[str], base: Adapter) -> list[Adapter]:
    """Resolve `--adapters`.

    Args:
        specs: `base`, a directory, a shipped alias or a hub name, each alone or as `name=where`. Without a name, the
            adapter is named after its directory.
        base: The base model, used for `base`.

    Raises:
        UserError: If a directory isn't a peft adapter, or two adapters have the same name.
    """
    found = [_find_adapter(spec, base) for spec in specs]
    for i, adapter in enumerate(found):
        if adapter.name in {other.name for other in found[:i]}:
            where = specs[i].rpartition("=")[2]
            raise UserError(f"two adapters are called '{adapter.name}': rename one, as in other={where}")
    return found


def warn_about_base_mismatch(adapters: Sequence[Adapter], base: Adapter) -> None:
    """Warn about adapters that were trained on a base other than `base`.

    The base is taken from the adapter's training card, or else from the base that its configuration names, if that is
    available locally. If it is unknown, there is no warning.
    """
    from holdfast.training.training_card import read_card  # needs pydantic, which `holdfast ls` doesn't load

    for adapter in adapters:
        if adapter.path is None:
            continue
        settings = _read_json(adapter.path / "adapter_config.json")
        named = str(settings.get("base_model_name_or_path") or "")
        try:
            card = read_card(adapter.path)
        except UserError:
            card = None  # written by another version; the adapter works without it
        folder = None if card else find_local(named)
        trained_on = card.base_digest if card else digest_of(folder) if folder else base.digest
        if trained_on != base.digest:
            warnings.warn(
                f"adapter '{adapter.name}' was trained on a different base ('{named}') than the one used here",
                stacklevel=2,
            )


def digest_of_prompting(model_args: Mapping[str, Any]) -> str:
    """Return a digest of the tokenizer and the chat template that `model_args` name beside the base, if any.

    Raises:
        UserError: If the tokenizer isn't found.
    """
    named, template = model_args.get("tokenizer", BASE), expanded(str(model_args.get("chat_template", "")))
    tokenizer = "" if named == BASE else digest_of(find_checkpoint(str(named), "tokenizer"))
    source = hashlib.sha256(template.read_bytes()).hexdigest() if os.path.isfile(template) else ""
    return f"{tokenizer}{source}"


def digest_of(directory: Path) -> str:
    """Return the SHA-256 of the files that decide a model's or adapter's answers: weights, configuration, tokenizer.

    File names count. JSON counts by content, not by layout. Other files (cards, optimizer states) don't count. An
    unchanged directory is read only once.
    """
    named = {file for pattern in (*_CONFIGURATION, *_COUNTED) for file in directory.glob(pattern)}
    for file in named:
        check_readable(file)  # a link may lead nowhere, or to a device without end
    stats = [(str(file.relative_to(directory)), file.stat()) for file in sorted(named)]
    return _digest(directory.resolve(), tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))


@lru_cache(maxsize=64)
def _digest(directory: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for file in (directory / name for name, _, _ in files):
        if file.name in _CONFIGURATION:
            content = json.dumps(_read_json(file), sort_keys=True).encode()
        else:
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").digest()
        total.update(file.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def _read_json(file: Path) -> Any:
    try:
        return read_json(file)
    except UserError as error:
        raise UserError(f"{error}; save the model or adapter again") from None


def _find_adapter(spec: str, base: Adapter) -> Adapter:
    name, equals, where = spec.partition("=")
    if not equals or Path(spec).is_dir():
        name, where = "", spec
    if where == BASE:
        return replace(base, name=name or BASE)
    path = find_checkpoint(where, "adapter")
    if name == BASE:
        raise UserError(f"an adapter can't be called '{BASE}', which stands for the model without one: rename it")
    check_adapter(where, path)
    check_weights(where, path)
    return Adapter(name or Path(os.path.abspath(path)).name, path, digest_of(path))


def _from_hub(name: str, what: str) -> Path:
    from huggingface_hub import snapshot_download

    ignored = ["*.gguf", "*.onnx", "*.h5", "*.msgpack", "original/*"]
    for offline in (True, False):
        try:
            return Path(snapshot_download(name, local_files_only=offline, ignore_patterns=ignored))
        except Exception as error:  # the hub's client raises errors of its own, of requests, httpx and the OS
            reason = error
    raise UserError(
        f"{what} '{name}' is neither a directory nor shipped ({', '.join(pocket.names())}) nor in the local hub cache, "
        f"and the hub did not answer ({type(reason).__name__}): give a local directory"
    )
