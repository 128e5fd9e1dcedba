"""The manifest run.json: configuration, models, data, environment and status of a run."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendEntry
from holdfast.harness.store.config import RunConfig
from holdfast.reading import place_of, read_json
from holdfast.writing import write_text

FILE = "run.json"
_OWN = "own_sha256"
MITIGATED = "+"
"""What stands between the name of an adapter and that of the mitigation around its prompts."""

_MAY_DIFFER = frozenset(
    {"output_path", "max_requests", "distributed", "ray_address", "replicas", "gpus_per_replica", "skip_bad_adapters"}
)


class AdapterEntry(BaseModel):
    """An adapter of the run; `has_effect` is None for the base and if the backend can't probe adapters."""

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str | None
    digest: str
    scale: float = Field(1.0, allow_inf_nan=False)
    mitigation: str = ""
    """The text around its prompts."""
    has_effect: bool | None = None


class TaskEntry(BaseModel):
    """A task of the run: its headline metric, its groups and a digest of its samples and settings."""

    model_config = ConfigDict(extra="forbid")

    headline: str
    higher_is_better: bool
    samples: int
    scores: dict[str, bool] = {}
    """The scores of its metrics, and whether higher values are better."""
    groups: dict[str, int] = {}
    """Number of these samples in each group."""
    digest: str


class Manifest(BaseModel):
    """The content of run.json."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    status: Literal["running", "complete"] = "running"
    config: RunConfig
    directory: str = ""
    """The working directory of the run, which relative paths in `config` start from."""
    base_digest: str
    prompting_digest: str = ""
    """Digest of the tokenizer and the chat template that `model_args` name beside the base."""
    inputs: dict[str, str] = {}
    """Digests and versions of what else answers and scores depend on: encoders, language files, synonyms, pipelines."""
    adapters: list[AdapterEntry]
    tasks: dict[str, TaskEntry]
    engine: dict[str, Any]
    versions: dict[str, str]
    hardware: dict[str, Any]
    variants: str
    """SHA-256 of all variants in the format of a pack; equal digests mean equal prompts."""
    generations: int
    """Number of lines of samples.jsonl."""
    samples_sha256: str | None = None
    """SHA-256 of samples.jsonl when the run was finished; None before, and in runs of earlier versions."""
    started: str
    """When the run was started first, in UTC: also the time that chat templates read, on every resumption."""
    finished: str | None = None
    timings: dict[str, float] = {}
    warnings: list[str] = []
    own_sha256: str | None = None
    """SHA-256 of everything else in run.json; None in runs of earlier versions."""

    def write(self, folder: Path) -> None:
        """Replace run.json in `folder` atomically."""
        content = self.model_dump(mode="json")
        content[_OWN] = _digest(content)
        write_text(folder / FILE, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in this folder, or None; raise UserError if it can't be read."""
    path = folder / FILE
    if not path.is_file():
        return None
    content = read_json(path)
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise UserError(
            f"{path} was edited or written by a different version of Holdfast ({place_of(error)}): restore "
            "it, or make the run again in another directory"
        ) from None
    if manifest.own_sha256 not in (None, _digest(content)):
        raise UserError(f"{path} was edited: restore it, or make the run again in another directory")
    return manifest


def not_a_run(folder: Path) -> UserError:
    """Return what to say of a folder without a run; if there are runs in it, as after `--seeds`, they are named."""
    inside = ", ".join(path.parent.name for path in sorted(folder.glob(f"*/{FILE}")))
    return UserError(
        f"{folder} is not a run: it has no {FILE}" + (f"; name one of the runs in it: {inside}" if inside else "")
    )


def _digest(content: Mapping[str, Any]) -> str:
    others = {name: value for name, value in content.items() if name != _OWN}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def check_same_run(old: Manifest, new: Manifest, folder: Path) -> None:
    """Raise UserError unless `new` may resume the run `old` in this folder.

    Settings, adapters, base, task data, variants and package versions must be equal.
    """
    entry = backends.get(new.config.model)
    before, after = _settings(old.config, entry), _settings(new.config, entry)
    differing = [name for name in after if before.get(name) != after[name]]
    if differing:
        name = differing[0]
        raise UserError(
            f"{folder} holds a run with different settings ({name} was {before.get(name)!r}, is now {after[name]!r}): "
            "repeat them to resume it, or choose another --output_path"
        )
    if old.base_digest != new.base_digest:
        raise UserError(
            f"{folder} holds a run with a different base model: its files have changed; choose another --output_path"
        )
    if old.prompting_digest != new.prompting_digest:
        raise UserError(
            f"{folder} holds a run with a different tokenizer or chat template: its files have changed; choose another "
            "--output_path"
        )
    _check_same_inputs(old, new, folder)
    if [each.name for each in old.adapters] != [each.name for each in new.adapters]:
        raise UserError(
            f"{folder} holds a run with different adapters ({', '.join(each.name for each in old.adapters)}): one was "
            "added or left out; choose another --output_path"
        )
    for was, now in zip(old.adapters, new.adapters, strict=True):
        if (was.digest, was.mitigation) != (now.digest, now.mitigation):
            changed = (
                "its files have changed" if was.digest != now.digest else "the text around its prompts has changed"
            )
            raise UserError(
                f"{folder} holds a run with a different '{now.name}': {changed}; choose another --output_path"
            )
    for package, version_now in new.versions.items():
        if old.versions.get(package) != version_now:
            raise UserError(
                f"{folder} holds a run made with {package} {old.versions.get(package)}, now {version_now}: "
                "its numbers may differ; choose another --output_path"
            )
    for name, task in new.tasks.items():
        if name not in old.tasks or (old.tasks[name].digest, old.tasks[name].headline) != (task.digest, task.headline):
            raise UserError(f"{folder} holds a run with different data for task '{name}': choose another --output_path")
    if old.variants != new.variants:
        raise UserError(f"{folder} holds a run with different variants of its prompts: choose another --output_path")


def _check_same_inputs(old: Manifest, new: Manifest, folder: Path) -> None:
    for name in {**old.inputs, **new.inputs}:
        was, now = old.inputs.get(name, "none"), new.inputs.get(name, "none")
        # a model may have come from the hub after the run had begun
        downloaded = was == "none" and name.startswith(("encoder ", "comparer "))
        if was != now and not downloaded:
            raise UserError(
                f"{folder} holds a run with different {name} (was {was[:40]}, is now {now[:40]}): choose another "
                "--output_path"
            )


def _settings(config: RunConfig, entry: BackendEntry) -> dict[str, Any]:
    """Return the settings that answers depend on."""
    settings = config.model_dump(exclude={*_MAY_DIFFER, *entry.incidental})
    settings["model_args"] = {k: v for k, v in config.model_args.items() if k not in entry.incidental_args}
    return settings


def hardware() -> dict[str, Any]:
    """Describe the machine: architecture, system and number of cores."""
    return {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}


def timestamp() -> str:
    """Return the current time in UTC, in ISO format."""
    return datetime.now(UTC).isoformat(timespec="seconds")
