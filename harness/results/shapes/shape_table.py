"""How far scores spread over the shapes of a prompt (formats, orders of options or examples)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.harness.plan.shaping import reshapes
from holdfast.harness.results.comparison import wilson
from holdfast.harness.results.statistics import Values
from holdfast.harness.store.records import CLEAN

if TYPE_CHECKING:
    import pandas as pd


def shape_table(answers: "pd.DataFrame") -> "pd.DataFrame | None":
    """Return a row for each adapter, task and perturbation of the prompt's shape.

    Args:
        answers: One row per answer, with `said`, which is equal for equal answers.

    Returns:
        The lowest and the highest mean score over the shapes, the clean prompt's own included, and where they are;
        `spread`, their difference, as in FormatSpread (arXiv 2310.11324); and `consistency`, the share of samples with
        the same answer in every shape, with its 95 % interval (Wilson). None if no perturbation changes shapes.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    shaped = answers[answers["perturbation"].map(reshapes)]
    for (adapter, task, perturbation), mine in shaped.groupby(["adapter", "task", "perturbation"]):
        clean = answers[
            (answers["adapter"] == adapter) & (answers["task"] == task) & (answers["perturbation"] == CLEAN)
        ]
        both = pd.concat([clean.assign(severity=CLEAN), mine])
        scores = both.groupby("severity", sort=False)["score"].mean().dropna()
        answers_of = both.groupby("sample")["said"].nunique()
        same: Values = np.asarray(answers_of == 1, dtype=np.float64)
        low, high = wilson(same) or (np.nan, np.nan)
        row = {"adapter": adapter, "task": task, "perturbation": perturbation, "n": len(same)}
        row |= {"shapes": mine["severity"].nunique(), "clean": clean["score"].mean()}
        if len(scores):
            row |= {"lowest": scores.min(), "lowest_at": scores.idxmin()}
            row |= {"highest": scores.max(), "highest_at": scores.idxmax(), "spread": scores.max() - scores.min()}
        rows.append({**row, "consistency": same.mean(), "consistency_low": low, "consistency_high": high})
    return pd.DataFrame(rows).round(6) if rows else None
