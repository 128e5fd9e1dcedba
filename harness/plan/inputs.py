"""Digests of what a run's answers and scores depend on beside its model, adapters and tasks."""

import hashlib
import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from holdfast.harness.models.checkpoints import digest_of, find_local
from holdfast.harness.plan.fluency import digest_of_fluency
from holdfast.harness.plan.judges.answer_judge import digest_of_answer_judge
from holdfast.harness.plan.model_judge import JUDGE, digest_of_judge
from holdfast.harness.store.config import RunConfig
from holdfast.language.language_files import SETTING as LANGUAGES
from holdfast.language.thesaurus import source
from holdfast.metrics.comparers.segment_comparer import FACTS, split_spec
from holdfast.metrics.encoders.encoder import is_elsewhere
from holdfast.paths import expanded
from holdfast.perturbations import parse
from holdfast.reading import read_bytes


def digest_inputs(config: RunConfig) -> dict[str, str]:
    """Return the digests by what they are of, in the words of messages; all that a version number doesn't cover.

    Built-in encoders are fixed by their own SHA-256 and the version of Holdfast.
    """
    return dict(_inputs(config))


def _inputs(config: RunConfig) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(part.rpartition("=")[2].strip() for part in config.encoder.split(",")):
        folder = find_local(name) if is_elsewhere(name) else None
        if folder is not None:
            yield f"encoder '{name}'", digest_of(folder)
    if config.fluency:
        yield f"fluency '{config.fluency}'", digest_of_fluency(config.fluency)
    if config.judge:
        yield f"judge '{config.judge}'", digest_of_answer_judge(config.judge)
    if config.faithfulness and (folder := find_local(config.faithfulness)) is not None:
        yield f"faithfulness '{config.faithfulness}'", digest_of(folder)
    comparer, argument = split_spec(config.comparer)
    if comparer == JUDGE:
        yield f"comparer '{config.comparer}'", digest_of_judge(argument)
    elif comparer == FACTS and argument:
        yield f"comparer '{config.comparer}'", hashlib.sha256(read_bytes(expanded(argument))).hexdigest()
    elif (folder := find_local(argument)) is not None:
        yield f"comparer '{config.comparer}'", digest_of(folder)
    if languages := os.environ.get(LANGUAGES):
        yield f"{LANGUAGES} files", _digest_files(Path(languages), "*.txt")
    if any("synonyms" in parse(spec)[0].split("+") for spec in config.perturbations):
        yield "synonyms", source()
    if config.spacy_pipeline:
        yield f"pipeline '{config.spacy_pipeline}'", _version_of(config.spacy_pipeline)


def _version_of(pipeline: str) -> str:
    """Return the version of a pipeline that is a package, or the digest of one that is a directory."""
    if Path(pipeline).is_dir():
        return _digest_files(Path(pipeline), "**/*")
    try:
        return version(pipeline)
    except PackageNotFoundError:
        return "unknown"


def _digest_files(folder: Path, pattern: str) -> str:
    """Return a digest of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.glob(pattern) if each.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()
