"""Rounds of an experiment add up: what was measured stays in a file beside the table, and the same command adds to it.

A file of rows (JSON lines) is small and committed; adapters and answers are not. A row holds its setting, so that rows
of different settings are never mixed. A digest of what the drift metric says is part of it, where drift is measured.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast import segment_drift
from holdfast.metrics.labelled_pairs import embedded_pairs

Row = dict[str, Any]


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
        until: The time of `time.monotonic` by which to end: none is begun that would take longer, as the longest did.
        measure: Trains and measures an arm under a seed.
    """
    longest = 0.0
    for arm, seed in ((arm, seed) for seed in seeds for arm in arms if not rows.has(arm=arm, seed=seed)):
        begun = time.monotonic()
        if begun + longest > until:
            return
        rows.add({"arm": arm, "seed": seed, **measure(arm, seed)})
        longest = max(longest, time.monotonic() - begun)
        print(f"{rows.file.name}: {arm}, seed {seed}, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


@cache
def drift_digest() -> str:
    """Return a digest of what the drift metric says about the labelled pairs: it changes when the metric does."""
    pairs = embedded_pairs()[::8]
    drifts = segment_drift([pair.clean for pair in pairs], [pair.perturbed for pair in pairs])
    return digest([round(drift.max_drift, 2) for drift in drifts])


def digest(value: Any) -> str:
    """Return a short digest of anything that can be written as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
