"""Whatever a run writes can be read again, or is refused when it is written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import UserError
from holdfast.harness.store.records import SAMPLES, Record
from holdfast.harness.store.run_folder import Samples

GOOD = Record(
    *("key", "base", "digest", "task", "1", "clean", ""),
    *(0, 0.0, (), 1.0, "prompt", "output", 3, "stop", False, {"exact_match": 1.0}, "", "lexical"),
)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"tokens": -5}, "tokens: input should be greater"),
        ({"tokens": 1e30}, "tokens: input should be a valid integer"),
        ({"finish": 7}, "finish: input should be a valid string"),
        ({"scores": {"own": 1e301}}, "scores.own: input should be less than"),
        ({"scores": {"own": "high"}}, "scores.own: input should be a valid number"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, change: dict[str, Any], wrong: str) -> None:
    with Samples(tmp_path / SAMPLES) as samples:
        samples.append([GOOD])
        with pytest.raises(UserError, match=f"what should be stored .* is not an answer of a run: {wrong}"):
            samples.append([replace(GOOD, key="other", **change)])
        assert [line["key"] for line in samples] == ["key"]
