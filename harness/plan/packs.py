"""Packs: the variants of a run as files, so that anybody can ask the same and prove that it is the same."""

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.errors import UserError
from holdfast.harness.plan.paraphrasing import with_paraphrases
from holdfast.harness.plan.sample_variants import SampleVariant, check_settings, make_variants
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import make_folder
from holdfast.harness.store.versions import FOR_VARIANTS, versions
from holdfast.language.thesaurus import source
from holdfast.tasks import Task

MANIFEST = "pack.json"
VARIANTS = "variants.jsonl"
SETTINGS = ("tasks", "perturbations", "severity", "repeats", "limit", "seed", "search", "paraphraser")
"""The settings that a pack decides."""


class Pack(BaseModel):
    """The content of pack.json: what the variants were made of, and their SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    settings: dict[str, Any]
    task_digests: dict[str, str]
    variants: int
    sha256: str
    versions: dict[str, str]
    synonyms: str
    """Where synonyms came from: the embedded table, or a WordNet."""


def write_pack(config: RunConfig, tasks: Sequence[Task], folder: Path) -> Pack:
    """Make every variant of `config` and write them and their manifest; raises UserError where a pack is already.

    `tasks` are as they were loaded: a paraphraser's wordings are joined here, and are no part of the tasks' digests.
    """
    if (folder / MANIFEST).exists():
        raise UserError(f"{folder} holds a pack already: verify it, remove it or choose another --out")
    check_settings(config)
    variants = make_variants(config, with_paraphrases(tasks, config))
    make_folder(folder, "--out")
    digest, count = hashlib.sha256(), 0
    with (folder / VARIANTS).open("wb") as file:
        for made in variants:
            line = f"{made.to_json()}\n".encode()
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
    (folder / MANIFEST).write_text(pack.model_dump_json(indent=2) + "\n", "utf-8")
    return pack


def read_pack(folder: Path) -> Pack:
    """The manifest of a pack; raises UserError where there is none or it is none."""
    try:
        pack = Pack.model_validate_json((folder / MANIFEST).read_text("utf-8"))
        RunConfig.model_validate(pack.settings)
        return pack
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder} is not a pack: it has no {MANIFEST} (holdfast perturb --out makes one)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read {folder / MANIFEST}: {error}") from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "no JSON"
        raise UserError(f"{folder / MANIFEST} was edited or made by another version ({where}); make it anew") from None


def with_pack(config: RunConfig) -> RunConfig:
    """`config` with the settings of its pack; raises UserError where it was explicitly given others.

    Only the tasks may differ in how they are named: a file may lie elsewhere on this machine.
    """
    if config.pack is None:
        return config
    settings = {**config.model_dump(), **read_pack(Path(config.pack)).settings}
    packed = RunConfig.model_validate(settings)
    for name in SETTINGS:
        given, wanted = getattr(config, name), getattr(packed, name)
        if name in config.model_fields_set and given != wanted and name != "tasks":
            raise UserError(f"--{name} {given!r} is not what the pack {config.pack} was made with: {wanted!r}; omit it")
    if "tasks" in config.model_fields_set:
        return packed.model_copy(update={"tasks": config.tasks})
    return packed


def packed_variants(folder: Path, tasks: Sequence[Task]) -> list[SampleVariant]:
    """The variants of a pack; raises UserError where they are not what its SHA-256 says, or the tasks are others."""
    _, lines = _opened(folder, tasks)
    return [SampleVariant.from_json(line) for line in lines]


def verify_pack(folder: Path, tasks: Sequence[Task]) -> Pack:
    """Make the variants of a pack again and compare them byte by byte; raises UserError naming the first that differs.

    `tasks` are the pack's, loaded on this machine.
    """
    pack, kept = _opened(folder, tasks)
    config = RunConfig.model_validate({**pack.settings, "tasks": [task.name for task in tasks]})
    made = (f"{variant.to_json()}\n" for variant in make_variants(config, with_paraphrases(tasks, config)))
    for number, (ours, theirs) in enumerate(zip_longest(made, kept), 1):
        if ours != theirs:
            raise UserError(
                f"{folder / VARIANTS}, line {number}: this machine makes another variant ({_difference(pack)})\n"
                f"  pack: {(theirs or 'nothing').strip()}\n  here: {(ours or 'nothing').strip()}"
            )
    return pack


def _opened(folder: Path, tasks: Sequence[Task]) -> tuple[Pack, list[str]]:
    """The manifest and the lines of a pack that is whole and about these tasks."""
    pack = read_pack(folder)
    digests = {task.name: task.digest() for task in tasks}
    for name, digest in pack.task_digests.items():
        if name not in digests:
            raise UserError(f"the pack {folder} is about task '{name}', which is not among --tasks")
        if digests[name] != digest:
            raise UserError(f"the pack {folder} was made from other data for task '{name}' than this machine has")
    try:
        content = (folder / VARIANTS).read_bytes()
    except OSError as error:
        raise UserError(f"can't read {folder / VARIANTS}: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != pack.sha256:
        raise UserError(f"{folder / VARIANTS} is not what {MANIFEST} says: it was changed after the pack was made")
    return pack, [f"{line}\n" for line in content.decode().split("\n")[:-1]]


def _difference(pack: Pack) -> str:
    """What may be behind it: the versions that differ."""
    here = {**versions(FOR_VARIANTS), "synonyms": source()}
    there = {**pack.versions, "synonyms": pack.synonyms}
    differing = [f"{name} {there.get(name)}, here {value}" for name, value in here.items() if there.get(name) != value]
    return "; ".join(differing) or "all versions agree"
