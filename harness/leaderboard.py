"""One leaderboard out of several runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.harness.summary import summarise

if TYPE_CHECKING:
    import pandas as pd


def merge(runs: list[Path], target: Path) -> "pd.DataFrame":
    """The rows of all runs' leaderboards, best first, with the run each comes from; written to `target` as CSV.

    Each run is summarised anew from its samples, so that an interrupted one counts as far as it got. Raises UserError
    for a directory that holds no run.
    """
    import pandas as pd

    boards = []
    for run in runs:
        _, board = summarise(run)
        board.insert(0, "run", str(run))
        boards.append(board)
    merged = pd.concat(boards, ignore_index=True).sort_values("perturbed", ascending=False, kind="stable")
    target.parent.mkdir(parents=True, exist_ok=True)
    merged.to_csv(target, index=False)
    return merged
