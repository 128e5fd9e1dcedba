"""One leaderboard out of several runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.summary import best_first, tables_of

if TYPE_CHECKING:
    import pandas as pd


def merge(runs: list[Path], target: Path) -> "pd.DataFrame":
    """The rows of all runs' leaderboards, best first, with the run each comes from; written to `target` as CSV.

    Each run is summarised anew from its samples, so that an interrupted one counts as far as it got; nothing is written
    to it. Raises UserError for a directory that holds no run, and for runs whose scores point opposite ways.
    """
    import pandas as pd

    boards = []
    for run in runs:
        _, board = tables_of(run)
        board.insert(0, "run", str(run))
        boards.append(board)
    merged = pd.concat(boards, ignore_index=True)
    if merged["higher_is_better"].nunique() > 1:
        raise UserError("in some of these runs higher scores are better, in some lower ones: merge them apart")
    merged = best_first(merged)
    target.parent.mkdir(parents=True, exist_ok=True)
    merged.to_csv(target, index=False)
    return merged
