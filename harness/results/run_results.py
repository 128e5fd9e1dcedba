"""A run's results."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Results:
    """Where the run lies, and its two tables: one row per cell, one row per adapter."""

    path: Path
    breakdown: "pd.DataFrame"
    leaderboard: "pd.DataFrame"
    warnings: tuple[str, ...] = ()
