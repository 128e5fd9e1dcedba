"""Digests of what a run's answers and scores depend on beside its model, adapters and tasks."""

import hashlib
import os
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from holdfast.harness.models.checkpoints import digest_of, find_local
from holdfast.harness.store.config import RunConfig
from holdfast.language.language_files import SETTING as LANGUAGES
from holdfast.language.thesaurus import source
from holdfast.perturbations import parse
from holdfast.reading import read_bytes


def digest_inputs(config: RunConfig) -> dict[str, str]:
    """Return the digests by what they are of, in the words of messages; all that a version number doesn't cover.

    Built-in encoders are fixed by their own SHA-256 and the version of Holdfast.
    """
    return dict(_inputs(config))


def _inputs(config: RunConfig) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(part.rpartition("=")[2].strip() for part in re.split(",", config.encoder)):
        folder = find_local(name) if re.search(r"[/\\\\]|^[.~]", name) else None
        if folder is not None:
            yield f"encoder '{name}'", digest_of(folder)
    if folder_of_languages := os.environ.get(LANGUAGES):
        yield f"{LANGUAGES} files", _digest_texts(Path(folder_of_languages))
    if any("synonyms" in parse(spec)[0].split("+") for spec in config.perturbations):
        yield "synonyms", source()
    if config.spacy_pipeline:
        yield f"pipeline '{config.spacy_pipeline}'", _version_of(config.spacy_pipeline)


def _digest_texts(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.txt")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()


def _version_of(pipeline: str) -> str:
    """Return the version of a pipeline that is a package, or the digest of one that is a directory."""
    folder = Path(pipeline)
    if not folder.is_dir():
        try:
            return version(pipeline)
        except PackageNotFoundError:
            return "unknown"
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()
