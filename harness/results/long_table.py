"""The breakdown in long form: a row for each number, as plotting libraries and databases want it."""

import math
from typing import TYPE_CHECKING

from holdfast.harness.results.columns import described, measures
from holdfast.harness.results.curves import COLUMNS as CURVES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("adapter", "task", "group", "perturbation", "severity", "metric", "n", "value", "low", "high")


def long_table(breakdown: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each number of each cell, with its 95 % interval; numbers that a cell lacks have no row.

    Args:
        breakdown: The breakdown of a run.

    Returns:
        The columns `COLUMNS`; `metric` is the name of the number's column in the breakdown.
    """
    import pandas as pd

    names = [
        name
        for name in measures(breakdown)
        if name not in ("n", *CURVES) and described(name).kind not in ("text", "flag")
    ]
    rows = [
        (
            *(cell["adapter"], cell["task"], cell["group"], cell["perturbation"], cell["severity"]),
            *(name, cell["n"], cell[name], cell.get(f"{name}_low", math.nan), cell.get(f"{name}_high", math.nan)),
        )
        for cell in breakdown.to_dict("records")
        for name in names
        if not math.isnan(cell[name])
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
