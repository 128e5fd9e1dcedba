"""Reading the suites' data, one JSON object per line, from the package."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.tasks.types import Sample

DATA = Path(__file__).parent / "data"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@cache
def embedded_samples(name: str) -> tuple[Sample, ...]:
    """The samples of `data/NAME.jsonl`; every key but id, content and references becomes metadata."""
    return tuple(
        Sample(row.pop("id"), row.pop("content"), tuple(row.pop("references")), row)
        for row in _rows(DATA / f"{name}.jsonl")
    )


def suite_texts() -> Iterator[str]:
    """Every content and every paraphrase of all embedded suites: what a model must not have seen in training."""
    for path in sorted(DATA.glob("*.jsonl")):
        for row in _rows(path):
            yield row["content"]
            yield from row.get("paraphrases", ())
