"""The embedded suites' data: one JSON object per line, in the package."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from holdfast.tasks.files import read_samples
from holdfast.tasks.task import Sample

DATA = Path(__file__).parent / "data"


@cache
def embedded_samples(name: str) -> tuple[Sample, ...]:
    """The samples of `data/NAME.jsonl`; every key but id, content and references becomes metadata."""
    return read_samples(DATA / f"{name}.jsonl")


def suite_texts() -> Iterator[str]:
    """Every content and every paraphrase of all embedded suites: what a model must not have seen in training."""
    for path in sorted(DATA.glob("*.jsonl")):
        for sample in embedded_samples(path.stem):
            yield sample.content
            yield from sample.metadata.get("paraphrases", ())
