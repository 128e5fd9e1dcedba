"""The data of the embedded suites, shipped with the package."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from holdfast.tasks.data_files.sample_rows import read_samples
from holdfast.tasks.sample import Sample

DATA = Path(__file__).parent / "data"


@cache
def embedded_samples(name: str) -> tuple[Sample, ...]:
    """Return the samples of `data/NAME.jsonl`."""
    return read_samples(DATA / f"{name}.jsonl")


def suite_texts() -> Iterator[str]:
    """Yield every content and paraphrase of the embedded suites, so that they can be kept out of training data."""
    for path in sorted(DATA.glob("*.jsonl")):
        for sample in embedded_samples(path.stem):
            yield sample.content
            yield from sample.metadata.get("paraphrases", ())
