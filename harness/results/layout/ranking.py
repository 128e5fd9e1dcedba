"""Order the rows of a leaderboard, and give the same place to those whose intervals don't tell them apart."""

import math
from typing import TYPE_CHECKING

from holdfast.harness.results.columns import described
from holdfast.harness.results.statistics import FEWEST

if TYPE_CHECKING:
    import pandas as pd


def is_better_high(board: "pd.DataFrame", key: str) -> bool:
    """Return whether high values of a column come first; those of a column without a good direction do."""
    better = described(key).better
    return bool(board["higher_is_better"].all()) if better == "score" else better != "low"


def ordered(board: "pd.DataFrame", key: str) -> "pd.DataFrame":
    """Return the rows sorted by a column, best first; names are sorted by the alphabet."""
    ascending = described(key).kind == "text" or not is_better_high(board, key)
    return board.sort_values(key, ascending=ascending, kind="stable", ignore_index=True)


def places(board: "pd.DataFrame", key: str) -> list[str]:
    """Return each row's place: one more than the number of rows that are clearly better; "-" for one without a value.

    A row is clearly better than another if its 95 % interval lies wholly on the better side. Rows of fewer than
    `FEWEST` samples are clearly better or worse than none; a mean without spread counts as it is, and so does a column
    without intervals. (The rule of Chatbot Arena, Chiang et al. 2024.)
    """
    sign = 1 if is_better_high(board, key) else -1
    ends = []
    for row in board.to_dict("records"):
        value = float(row[key])
        low, high = float(row.get(f"{key}_low", value)), float(row.get(f"{key}_high", value))
        if math.isnan(low):
            low, high = (value, value) if row["n"] >= FEWEST else (-math.inf, math.inf)
        ends.append(sorted((sign * low, sign * high)))
    ranked = [1 + sum(other[0] > mine[1] for other in ends) for mine in ends]
    return ["-" if math.isnan(value) else str(place) for value, place in zip(board[key], ranked, strict=True)]
