"""Rounds of an experiment add up: what was measured stays in a file beside the table, and the same command adds to it.

A file of rows (JSON lines) is small and committed; adapters are not. A row holds its setting and a digest of what its
arm does, so that what isn't comparable is never mixed. Answers are kept where a metric of ours judges them, so that all
rows are judged by the metric as it is today.
"""

import base64
import hashlib
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Rows:
    """The rows of one setting in a file that may hold those of others, too."""

    file: Path
    setting: Mapping[str, Any]
    arms: Mapping[str, Any]
    """What each arm does; rows of an arm that did something else don't count."""

    def read(self) -> pd.DataFrame:
        """Return the rows of this setting and these arms, without the columns that describe them."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        mine = [row for row in map(json.loads, lines) if row.items() >= self._described(row["arm"]).items()]
        return pd.DataFrame(mine).drop(columns=[*self.setting, "recipe"], errors="ignore")

    def has(self, **named: Any) -> bool:
        """Return whether a row of this setting has these values."""
        rows = self.read()
        return not rows.empty and bool((rows[list(named)] == pd.Series(named)).all(axis=1).any())

    def add(self, *rows: Row) -> None:
        """Append rows, all at once."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps({**self._described(row["arm"]), **row}) + "\n" for row in rows))

    def _described(self, arm: str) -> Row:
        return {**self.setting, "recipe": digest(self.arms.get(arm))}


def measure_missing(
    rows: Rows, arms: Iterable[str], seeds: Iterable[int], until: float, measure: Callable[[str, int], Row]
) -> None:
    """Measure arm after arm, seed after seed, whatever the file lacks.

    Args:
        rows: Where the rows are kept.
        arms: The names of the arms.
        seeds: The seeds; all arms of one come before the next, so that they stay paired.
        until: The time of `time.monotonic` by which to end (`in_time`).
        measure: Trains and measures an arm under a seed.
    """
    missing = ((arm, seed) for seed in seeds for arm in arms if not rows.has(arm=arm, seed=seed))
    for arm, seed in in_time(missing, until):
        rows.add({"arm": arm, "seed": seed, **measure(arm, seed)})
        print(f"{rows.file.name}: {arm}, seed {seed}", file=sys.stderr, flush=True)


def in_time(work: Iterable[T], until: float) -> Iterator[T]:
    """Yield pieces of work until the next would end after `until`, if it took as long as the longest before it."""
    longest = 0.0
    for piece in work:
        begun = time.monotonic()
        if begun + longest > until:
            return
        yield piece
        longest = max(longest, time.monotonic() - begun)


def digest(value: Any) -> str:
    """Return a short digest of anything that can be written as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def pack(value: Any) -> str:
    """Compress anything that can be written as JSON into a line of text."""
    return base64.b85encode(zlib.compress(json.dumps(value, ensure_ascii=False).encode(), 9)).decode()


def unpack(packed: str) -> Any:
    """Return what was packed."""
    return json.loads(zlib.decompress(base64.b85decode(packed)))
