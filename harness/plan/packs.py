"""Packs: the variants of a run as files, so that anybody can run the same ones and verify that they are the same."""

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.errors import UserError
from holdfast.harness.plan.paraphrasing import add_paraphrases
from holdfast.harness.plan.sample_variants import SampleVariant, check_settings, make_variants
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.versions import FOR_VARIANTS, versions
from holdfast.language.thesaurus import source
from holdfast.perturbations import Edits
from holdfast.reading import place_of, read_bytes, read_text
from holdfast.tasks import Task
from holdfast.writing import atomic_path, check_free

MANIFEST = "pack.json"
VARIANTS = "variants.jsonl"
SETTINGS = (
    *("tasks", "perturbations", "severity", "repeats", "limit", "seed", "search", "paraphraser"),
    *("content", "references", "group", "encoding"),
)
"""The settings that a pack determines."""


class Pack(BaseModel):
    """The content of pack.json: the settings, data and versions behind the variants, and the variants' SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    settings: dict[str, Any]
    task_digests: dict[str, str]
    variants: int
    sha256: str
    versions: dict[str, str]
    synonyms: str
    """The source of synonyms: the embedded table, or a WordNet."""


def write_pack(config: RunConfig, tasks: Sequence[Task], folder: Path) -> Pack:
    """Make every variant of `config`, and write them with a manifest.

    Args:
        config: The configuration.
        tasks: The tasks as loaded; paraphrases of `--paraphraser` are added here and don't count in task digests.
        folder: Where to write.

    Raises:
        UserError: If the folder already has a pack or can't be written, or settings contradict each other.
    """
    if (folder / MANIFEST).exists():
        raise UserError(f"{folder} already has a pack: verify it, delete it or choose another --output_path")
    check_free(folder)
    check_settings(config)
    variants = make_variants(config, add_paraphrases(tasks, config))
    digest, count = hashlib.sha256(), 0
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        with (temporary / VARIANTS).open("wb") as file:
            for variant in variants:
                line = f"{variant.to_json()}\n".encode()
                file.write(line)
                digest.update(line)
                count += 1
        pack = Pack(
            settings={name: value for name, value in config.model_dump().items() if name in SETTINGS},
            task_digests={task.name: task.digest() for task in tasks},
            variants=count,
            sha256=digest.hexdigest(),
            versions=versions(FOR_VARIANTS),
            synonyms=source(),
        )
        (temporary / MANIFEST).write_text(pack.model_dump_json(indent=2) + "\n", "utf-8")
    return pack


def read_pack(folder: Path) -> Pack:
    """Return the manifest of a pack; raise UserError if it is missing or invalid."""
    file = folder / MANIFEST
    if not file.exists():
        raise UserError(
            f"{folder} is not a pack: it has no {MANIFEST} (create one with holdfast perturb --output_path)"
        )
    try:
        pack = Pack.model_validate_json(read_text(file))
        RunConfig.model_validate(pack.settings)
        return pack
    except ValidationError as error:
        raise UserError(
            f"{folder / MANIFEST} was edited or made by a different version of Holdfast ({place_of(error)}): make the "
            "pack again"
        ) from None


def apply_pack(config: RunConfig) -> RunConfig:
    """Return `config` with the settings of its pack, if it has one.

    Tasks may be named differently, since a file may have a different path on this machine.

    Raises:
        UserError: If the pack can't be read, or `config` explicitly sets something else.
    """
    if config.pack is None:
        return config
    settings = {**config.model_dump(), **read_pack(Path(config.pack)).settings}
    packed = RunConfig.model_validate(settings)
    for name in SETTINGS:
        given, expected = getattr(config, name), getattr(packed, name)
        if name in config.model_fields_set and given != expected and name != "tasks":
            raise UserError(
                f"--{name} {given!r} differs from the pack {config.pack}, made with {expected!r}: omit --{name}"
            )
    if "tasks" in config.model_fields_set:
        return packed.model_copy(update={"tasks": config.tasks})
    return packed


def read_variants(folder: Path, tasks: Sequence[Task]) -> list[SampleVariant]:
    """Return the variants of a pack; raise UserError if their SHA-256 or the tasks don't match its manifest."""
    _, lines = _open(folder, tasks)
    contents = {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}
    variants = []
    for number, line in enumerate(lines, 1):
        where = f"{folder / VARIANTS}, line {number}"
        made = SampleVariant.from_json(line, where)
        content = contents.get((made.task, made.sample))
        if content is None or Edits(content, made.variant.edits).text != made.variant.text:
            raise UserError(f"{where} doesn't belong to its task: make the pack again")
        variants.append(made)
    return variants


def verify_pack(folder: Path, tasks: Sequence[Task]) -> Pack:
    """Make the variants of a pack again, and compare them byte by byte.

    Args:
        folder: The pack.
        tasks: The pack's tasks, as loaded on this machine.

    Returns:
        The pack's manifest.

    Raises:
        UserError: If a variant differs; the message names the first one and the versions that differ.
    """
    pack, kept = _open(folder, tasks)
    config = RunConfig.model_validate({**pack.settings, "tasks": [task.name for task in tasks]})
    made = (f"{variant.to_json()}\n" for variant in make_variants(config, add_paraphrases(tasks, config)))
    for number, (ours, theirs) in enumerate(zip_longest(made, kept), 1):
        if ours != theirs:
            raise UserError(
                f"{folder / VARIANTS}, line {number}: this machine makes a different variant "
                f"({_differing_versions(pack)}); pack: {(theirs or 'nothing').strip()}; here: "
                f"{(ours or 'nothing').strip()}"
            )
    return pack


def _open(folder: Path, tasks: Sequence[Task]) -> tuple[Pack, list[str]]:
    """Return a pack's manifest and lines; raise UserError unless both are intact and match the tasks."""
    pack = read_pack(folder)
    digests = {task.name: task.digest() for task in tasks}
    for name, digest in pack.task_digests.items():
        if name not in digests:
            raise UserError(f"the pack {folder} needs task '{name}': add it to --tasks")
        if digests[name] != digest:
            raise UserError(
                f"the pack {folder} was made from different data for task '{name}': use that data, or make the "
                "pack again"
            )
    content = read_bytes(folder / VARIANTS)
    if hashlib.sha256(content).hexdigest() != pack.sha256:
        raise UserError(
            f"{folder / VARIANTS} doesn't match the SHA-256 in {MANIFEST}: it was changed after the pack was made"
        )
    return pack, [f"{line}\n" for line in content.decode("utf-8", "replace").split("\n")[:-1]]


def _differing_versions(pack: Pack) -> str:
    """List the versions that differ from the pack's, as possible reasons for a different variant."""
    here = {**versions(FOR_VARIANTS), "synonyms": source()}
    there = {**pack.versions, "synonyms": pack.synonyms}
    differing = [f"{name} {there.get(name)}, here {value}" for name, value in here.items() if there.get(name) != value]
    return "; ".join(differing) or "all versions agree"
